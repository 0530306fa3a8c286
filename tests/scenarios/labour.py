"""Labour: a team whose runs end in each of the ways in which a run can end, as the goal says."""

import anyio

from hustings import (
    Claim,
    Goal,
    Message,
    NonRetryableError,
    Outcome,
    Proof,
    RetryPolicy,
    Specialist,
    TaskContext,
    Team,
    Testimony,
    Verdict,
)


class Work(Goal, contract="runs.Work.v1"):
    way: str


class Done(Message, contract="runs.Done.v1"):
    way: str


class Shown(Proof, contract="runs.Shown.v1"): ...


class Worked(Outcome, contract="runs.Worked.v1"):
    done: Done
    shown: Shown
    verdicts: list[Verdict]


class Other(Outcome, contract="runs.Other.v1"):
    undone: Done


worker = Specialist("worker", "does it, in its way")
doubter = Specialist("doubter", "says so, and not so")


@worker.skill
async def work(asked: Work, context: TaskContext) -> Done:
    if asked.way == "fails":
        raise NonRetryableError("cannot be done")
    if asked.way == "waits":
        await context.progress("waits")
        await anyio.sleep_forever()
    return Done(way=asked.way)


@worker.skill
def show(done: Done) -> Shown:
    return Shown(holds=done.way != "unproved", because=f"it is {done.way}")


@doubter.skill
def doubt(done: Done) -> Testimony:
    if done.way == "partial":
        raise NonRetryableError("not to be had")
    values = ["yes", "no"] if done.way == "undecided" else ["yes"]
    return Testimony(claims=tuple(Claim(about="it", value=value) for value in values))


TEAM = Team("runs", Work, Worked, [worker, doubter], undecided="stop", retry=RetryPolicy(max_attempts=1))
