"""What the coordinator logs of its decisions."""

from structlog.testing import capture_logs

from hustings.agents import Specialist, Team
from hustings.agents.testing import running
from hustings.protocols import Goal, Message, Outcome


class Ask(Goal, contract="logged.Ask.v1"):
    text: str


class Answer(Message, contract="logged.Answer.v1"):
    text: str


class Answered(Outcome, contract="logged.Answered.v1"):
    answer: Answer


clerk = Specialist("clerk", "answers")


@clerk.skill
async def answer(asked: Ask) -> Answer:
    return Answer(text=asked.text)


TEAM = Team("logged", goal=Ask, outcome=Answered, specialists=[clerk])


async def test_each_decision_says_what_it_is_about(broker: str) -> None:
    """Whom a task goes to stands under `to`: `agent` is who writes the line, for those who filter by it."""
    with capture_logs() as told:
        async with running(TEAM, broker) as client:
            run = await client.ask(Ask(text="so"))
            await run.wait()
    said = {each["event"]: each for each in told if each.get("run") == run.id}
    assert {"run acquired", "planned", "concluded"} <= said.keys()
    assert (said["assigned"]["task"], said["assigned"]["to"]) == ("clerk-answer", "clerk")
    assert not any("agent" in each for each in said.values())
