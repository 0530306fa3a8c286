"""A team whose one skill makes the mistake that the goal names. Child processes import a copy of this file."""

import sys

from hustings import Goal, Message, ModelRule, Outcome, RetryPolicy, Specialist, TaskContext, Team

if "agent" in sys.argv and "blunders_late:team" in sys.argv:
    import a_package_that_nobody_has  # type: ignore[import-not-found]  # noqa: F401 - the mistake


class Blunder(Goal, contract="blunders.Blunder.v1"):
    kind: str


class Done(Message, contract="blunders.Done.v1"):
    text: str


class Over(Outcome, contract="blunders.Over.v1"):
    done: Done


clumsy = Specialist("clumsy", "makes mistakes")


@clumsy.skill
async def stumble(asked: Blunder, context: TaskContext) -> Done:
    if asked.kind == "raise":
        raise ValueError("no way")
    if asked.kind == "type":
        return "a str"  # type: ignore[return-value]
    if asked.kind == "import":
        import a_package_that_nobody_has  # noqa: F401 - the mistake in a skill
    return await context.model(Done, instructions="Do it.")


RETRY = RetryPolicy(max_attempts=2, initial_interval=0.1)


def team_of(name: str, model: str) -> Team:
    models = [ModelRule("*", models=(model,))]
    return Team(name, goal=Blunder, outcome=Over, specialists=[clumsy], models=models, retry=RETRY)


team = team_of("blunders", "anthropic:claude-sonnet-5-5")
far = team_of("far", "nowhere:model")
