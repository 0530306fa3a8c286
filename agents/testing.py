"""For tests: a specialist, or a whole team, on a real temporary broker, in one `async with`.

async with bench(clerk) as call:
    summary = await call(Summary, "summarise", document=Document(text="..."))

async with running(team) as client:
    run = await client.ask(Digest(text=...))
    digested = await run.outcome()
"""

import os
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from pkgutil import resolve_name
from typing import TypeVar, overload

from pydantic import JsonValue

from hustings.bus import Bus, embedded, open_bus, task_group
from hustings.protocols import (
    COORDINATOR,
    Assigned,
    Data,
    Failure,
    HustingsError,
    Message,
    NonRetryableError,
    Result,
    UsageError,
)
from hustings.protocols.subjects import token

from .client.client import Client, GoalT, connect, new_run
from .client.run import OutcomeT
from .deploy.launch import absentees, children, supervised
from .models.endpoints import Endpoints, configured
from .models.fake import FakeEndpoint, Reply, answers, calls, says
from .planning.validate import in_words
from .runtime.coordinator import coordinate
from .runtime.worker import Worker
from .skills.ask import heard, said, wanted
from .skills.specialist import Specialist
from .team import Team

M = TypeVar("M", bound=Message)
Given = Message | Sequence[Message] | None

__all__ = [  # noqa: RUF022 - a table of contents
    # run it
    "bench", "Call", "SkillFailed", "running", "serving", "broker",
    # models to test with
    "FakeEndpoint", "Reply", "says", "answers", "calls",
]  # fmt: skip


class SkillFailed(AssertionError):
    """The skill answered with a Failure; the text is its reason."""


@asynccontextmanager
async def broker() -> AsyncIterator[str]:
    """The URL of a real nats-server with an empty store, which is deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="hustings-test-") as home:
        async with embedded(Path(home), durability="process") as url:
            yield url


@asynccontextmanager
async def serving(
    specialist: Specialist, url: str, team: str = "test", *, endpoints: Endpoints | None = None
) -> AsyncIterator[Worker]:
    """One replica of a specialist, working in this process; it is drained at the end. Its models are those of
    `endpoints`, for example a FakeEndpoint's; without it those that the environment names now."""
    endpoints = endpoints or _named_now()
    async with open_bus(url, team, name=specialist.name) as bus, task_group() as group:
        worker = Worker(specialist, bus, instance=f"{specialist.name}-{new_run()}", endpoints=endpoints)
        await group.start(worker.serve)
        yield worker
        worker.drain.set()


def _named_now() -> Endpoints:
    """Not those of the process, which are read once: the next test may have another environment."""
    return configured(os.environ, Path.cwd())


class Call:
    """Calls the skills of one specialist; what `bench` gives."""

    def __init__(self, bus: Bus, specialist: Specialist) -> None:
        self._bus = bus
        self._specialist = specialist

    @overload
    async def __call__(self, answer: type[M], skill: str, /, **given: Given) -> M: ...
    @overload
    async def __call__(self, answer: type[list[M]], skill: str, /, **given: Given) -> list[M]: ...
    async def __call__(self, answer: type[M] | type[list[M]], skill: str, /, **given: Given) -> M | list[M]:
        """What the skill returns: a message of this type, or a list of them.

        Raises SkillFailed, also if it returns another type, and NonRetryableError if the skill refused its input.
        """
        message, contract = wanted(answer)
        output = await self._output(skill, {name: said(value) for name, value in given.items() if value is not None})
        promised = self._specialist.skills[skill].output.contract
        if promised != contract:
            raise SkillFailed(f"{skill} returns {in_words(promised)}, not {in_words(contract)}")
        return heard(message, contract, skill, output)

    async def _output(self, skill: str, given: Data) -> JsonValue:
        run, offered = new_run(), self._specialist.skills.get(skill)
        assigned = Assigned(
            task=token(skill),
            step="",
            agent=self._specialist.name,
            attempt=1,
            skill=skill,
            input=given,
            deadline=2**36,
            timeout=offered.settings.timeout if offered else None,
        )
        after = await self._bus.log.append(run, [assigned], after=0, source="bench")
        async with aclosing(self._bus.log.follow(run, after)) as entries:
            async for entry in entries:
                if isinstance(entry.event, Failure):
                    error = NonRetryableError if entry.event.kind == "non_retryable" else SkillFailed
                    raise error(entry.event.because)
                if isinstance(entry.event, Result):
                    return entry.event.output
        raise SkillFailed("the log ended")


@asynccontextmanager
async def bench(
    specialist: Specialist, url: str | None = None, *, endpoints: Endpoints | None = None
) -> AsyncIterator[Call]:
    """Call the skills of one specialist over the bus, as a coordinator would.

    `await call(Answer, "skill", parameter=message, ...)` gives the skill's message, or `list[Answer]` a list.
    Its models are those of `endpoints`, else those that the environment names when the block begins. An error in the
    block comes out as it is.
    """
    async with AsyncExitStack() as stack:
        where = url if url is not None else await stack.enter_async_context(broker())
        await stack.enter_async_context(serving(specialist, where, endpoints=endpoints))
        yield Call(await stack.enter_async_context(open_bus(where, "test", name="bench")), specialist)


@asynccontextmanager
async def running(
    team: Team[GoalT, OutcomeT],
    url: str | None = None,
    *,
    processes: str | None = None,
    endpoints: Endpoints | None = None,
) -> AsyncIterator[Client[GoalT, OutcomeT]]:
    """A whole team, and a client of it: coordinator and specialists on one broker, in this process, which is fast.
    Its models are those of `endpoints`, else those that the environment names when the block begins. An error in the
    block comes out as it is.

    With `processes="MODULE:TEAM"`, where the team can be imported, each of them is a process, as with `hustings up`.
    They have this process's environment and import path; their models are those of the environment, not of
    `endpoints`. Raises UsageError: there is another team; HustingsError: a process ends again and again.
    """
    async with AsyncExitStack() as stack:
        where = url if url is not None else await stack.enter_async_context(broker())
        client = await stack.enter_async_context(connect(team, where))
        if processes is None:
            await stack.enter_async_context(_in_this_process(team, where, endpoints))
        else:
            await stack.enter_async_context(_as_processes(processes, team, client.bus))
        yield client


@asynccontextmanager
async def _in_this_process(team: Team, url: str, endpoints: Endpoints | None) -> AsyncIterator[None]:
    endpoints = endpoints or _named_now()
    async with AsyncExitStack() as stack:
        for specialist in team.specialists:
            await stack.enter_async_context(serving(specialist, url, team.name, endpoints=endpoints))
        bus = await stack.enter_async_context(open_bus(url, team.name, name="coordinator"))
        group = await stack.enter_async_context(task_group())
        await group.start(
            lambda task_status: coordinate(bus, team.policy(), instance=new_run(), task_status=task_status)
        )
        yield
        group.cancel_scope.cancel()


@asynccontextmanager
async def _as_processes(target: str, team: Team, bus: Bus) -> AsyncIterator[None]:
    """Returns into the block when all of them are there."""
    if resolve_name(target) is not team:
        raise UsageError(f"{target} is not the team {team.name} that is to run")
    parts = (COORDINATOR, *team.members)
    paths = {"PYTHONPATH": os.pathsep.join(sys.path)}
    with tempfile.TemporaryDirectory(prefix="hustings-test-") as home:
        started = supervised(
            Path(home),
            team,
            bus.url,
            children(target, team, bus.url, parts=parts, env=paths),
            tell=partial(print, file=sys.stderr),
            color=False,
        )
        async with bus.live.heartbeats() as heartbeats, started as supervisor:
            missing = {*await absentees(bus.live, team)}
            while missing:
                missing.discard((await anext(heartbeats)).agent)
                for status in supervisor.statuses:
                    if status.state == "gave up":
                        raise HustingsError(f"{status.name} does not start", "its output is above")
            yield
