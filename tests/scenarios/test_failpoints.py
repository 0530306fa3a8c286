"""A real process crashes at each named point, and once more while it recovers: the run comes to the same."""

import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import anyio
import pytest

from hustings.agents import Client, RunState, Supervisor, connect, evolve
from hustings.agents.deploy.supervisor import Child
from hustings.bus import embedded
from hustings.bus.failpoints import FAILPOINTS
from hustings.protocols import Completion, Concluded, Entry, Failure, Progress, Result

from .till import Bill, Shopping, booked, new_ledger, team

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parent.parent.parent
CRASHES = 2  # at the point, and again in the life after
CLIENT = """
import sys, anyio
from hustings.agents import connect
from hustings.protocols import AlreadyThere
from tests.scenarios.till import Shopping, team

async def main(url, ledger):
    async with connect(team, url) as client:
        try:
            await client.ask(Shopping(items=3, ledger=ledger), run="r1")
        except AlreadyThere:
            pass
        if "cancel" in sys.argv:
            await client.run("r1").cancel("changed my mind")
        await anyio.sleep_forever()

anyio.run(main, *sys.argv[1:3])
"""
ASKED = {point for point in FAILPOINTS if point.partition(".")[0] in ("ask", "cancel")}
BACK = {point for point in FAILPOINTS if point.startswith("back.")}


CALLS = [
    point for point in FAILPOINTS if point.startswith(("call.", "query."))
]  # test_crashing_callers and test_asking do
REACHED = [point for point in FAILPOINTS if point not in CALLS]
SOON = ("cancel.before", "fold.after", "append.between", "answer.after", "ack.before", "back.before", "effect.after")
LATER = [point for point in REACHED if point not in SOON]
GROUPS = [SOON[:4], SOON[4:], *(tuple(LATER[first::4]) for first in range(4))]  # at a time, for most of it is waiting


def test_each_point_is_in_one_group() -> None:
    assert sorted(point for group in GROUPS for point in group) == sorted(REACHED)


@pytest.mark.parametrize(
    "points",
    [pytest.param(group, id=" ".join(group), marks=[pytest.mark.long] * (group != GROUPS[0])) for group in GROUPS],
)
async def test_a_crash_at_any_point_and_another_in_recovery_change_nothing(
    points: tuple[str, ...], tmp_path: Path
) -> None:
    """Each with a team and a broker of its own."""
    async with anyio.create_task_group() as group:
        for point in points:
            (tmp_path / point).mkdir()
            group.start_soon(crash_at, point, tmp_path / point)


async def crash_at(point: str, folder: Path) -> None:
    """Decided (or cancelled, where that was asked), each sale booked once, each attempt answered once at most, and the
    log folds to the state it was concluded with. The crashes happened: no token is left."""
    tokens, ledger = folder / "tokens", new_ledger(folder / "ledger")
    tokens.mkdir()
    for number in range(1 if point == "ask.after" else CRASHES):  # who asks again for what is there gets no further
        (tokens / str(number)).touch()
    env = {"HUSTINGS_FAILPOINT": point, "HUSTINGS_FAILPOINT_TOKENS": str(tokens)}
    async with embedded(folder / "hustings", durability="process") as url, connect(team, url) as client:
        async with processes(url, str(ledger), point, env) as supervisor:
            with anyio.fail_after(300):
                if point in BACK:
                    await sell_and_stop(client, ledger, folder / "gate", tokens, supervisor)
                elif point not in ASKED:
                    await client.ask(Shopping(items=3, ledger=str(ledger)), run="r1")
                async with aclosing(client.run("r1").follow()) as entries_to_come:
                    await anext(entries_to_come)  # another process may have to ask first
                report = await client.run("r1").wait()
                while os.listdir(tokens):  # noqa: ASYNC110 - the point may lie behind the end of the run
                    await anyio.sleep(0.05)
        entries = [entry async for entry in client.bus.log.read("r1")]
    assert report.status in (("cancelled", "decided") if point.startswith("cancel.") else ("decided",))
    check(entries, ledger, all_sold=report.status == "decided")


async def sell_and_stop(
    client: Client[Shopping, Bill], ledger: Path, gate: Path, tokens: Path, supervisor: Supervisor
) -> None:
    """An agent that is told to stop hands back what it has in hand; it crashes in that, twice."""
    told: set[int] = set()  # told twice, it would end on the spot
    async with client.bus.live.watch() as live:
        await client.ask(Shopping(items=3, ledger=str(ledger), gate=str(gate)), run="r1")
        async for said in live:
            if isinstance(said, Progress) and said.says.isdigit():
                (agent,) = [each for each in supervisor.statuses if each.name == "clerk"]
                left = len(os.listdir(tokens))
                if left and agent.pid and agent.pid not in told:
                    told.add(agent.pid)
                    os.kill(agent.pid, signal.SIGTERM)
                elif not left:
                    break
    await anyio.Path(gate).touch()


def check(entries: list[Entry], ledger: Path, *, all_sold: bool) -> None:
    sales = booked(ledger)
    assert len(sales) == len(set(sales))
    assert len(sales) == 3 or not all_sold
    answers: Counter[tuple[str, int]] = Counter(
        (entry.event.task, entry.event.attempt) for entry in entries if isinstance(entry.event, Completion)
    )
    assert max(answers.values(), default=0) <= 1
    (end,) = [entry.event for entry in entries if isinstance(entry.event, Concluded)]
    state = RunState("r1")
    for entry in entries:
        if entry.seq <= end.at:
            evolve(state, entry)
    assert state.hash() == end.state_hash
    assert state.invalid == 0
    done = Counter(entry.event.task for entry in entries if isinstance(entry.event, Result))
    assert not all_sold or set(done.values()) == {1}
    assert not [
        entry.event for entry in entries if isinstance(entry.event, Failure) and entry.event.kind != "timed_out"
    ]


@asynccontextmanager
async def processes(url: str, ledger: str, point: str, env: dict[str, str]) -> AsyncIterator[Supervisor]:
    """Coordinator, agent, and a client where the point is in a client; each is started again whenever it ends."""
    program = (sys.executable, "-m", "hustings.agents.cli")
    target = "tests.scenarios.till:team"
    everywhere = {"HUSTINGS_URL": url, "PYTHONPATH": str(ROOT), **env}
    children = [
        Child("coordinator", (*program, "coordinator", target), everywhere),
        Child("clerk", (*program, "agent", target), everywhere),
    ]
    if point in ASKED:
        cancel = ("cancel",) if point.startswith("cancel.") else ()
        children.append(Child("client", (sys.executable, "-c", CLIENT, url, ledger, *cancel), everywhere))
    supervisor = Supervisor(children, on_change=lambda _: None, on_line=lambda *_: None, backoff=(0.05, 0.05))
    async with anyio.create_task_group() as group:
        await group.start(supervisor.run)
        yield supervisor
        group.cancel_scope.cancel()
