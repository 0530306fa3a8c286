"""For tests: a specialist, or a whole team, on a real temporary broker, in one `async with`.

async with bench(clerk) as call:
    summary = await call("summarise", document=Document(text="..."))

async with running(team) as client:
    run = await client.ask(Digest(text=...))
    digested = await run.outcome()
"""

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio

from hustings.bus import embedded, open_bus
from hustings.protocols import Assigned, Failure, Message, NonRetryableError, Result, token

from .client.client import Client, GoalT, connect, new_run
from .client.run import OutcomeT
from .models import Endpoints
from .models.fake import FakeEndpoint as FakeEndpoint
from .models.fake import Reply as Reply
from .models.fake import answers as answers
from .models.fake import calls as calls
from .models.fake import says as says
from .runtime.coordinator import coordinate
from .runtime.worker import Worker
from .skills.ask import said
from .skills.specialist import Specialist
from .team import Team

Call = Callable[..., Awaitable[Message | list[Message]]]


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
    `endpoints`, for example a FakeEndpoint's; without it those of the environment."""
    async with open_bus(url, team, name=specialist.name) as bus, anyio.create_task_group() as group:
        worker = Worker(specialist, bus, instance=f"{specialist.name}-{new_run()}", endpoints=endpoints)
        await group.start(worker.serve)
        yield worker
        worker.drain.set()


@asynccontextmanager
async def bench(
    specialist: Specialist, url: str | None = None, *, endpoints: Endpoints | None = None
) -> AsyncIterator[Call]:
    """Call the skills of one specialist over the bus, as a coordinator would.

    `await call("skill", parameter=message, ...)` gives the skill's message (or list of messages). Raises
    SkillFailed, or NonRetryableError if the skill refused its input.
    """
    async with AsyncExitStack() as stack:
        where = url if url is not None else await stack.enter_async_context(broker())
        await stack.enter_async_context(serving(specialist, where, endpoints=endpoints))
        bus = await stack.enter_async_context(open_bus(where, "test", name="bench"))

        async def call(skill: str, **given: Message | Sequence[Message] | None) -> Message | list[Message]:
            run = new_run()
            assigned = Assigned(
                task=token(skill),
                step="",
                agent=specialist.name,
                attempt=1,
                skill=skill,
                input={name: said(value) for name, value in given.items() if value is not None},
                deadline=2**36,
            )
            after = await bus.log.append(run, [assigned], after=0, source="bench")
            async for entry in bus.log.follow(run, after):
                if isinstance(entry.event, Failure):
                    raise (NonRetryableError if entry.event.kind == "non_retryable" else SkillFailed)(
                        entry.event.because
                    )
                if isinstance(entry.event, Result):
                    return _heard(specialist, skill, entry.event.output)
            raise SkillFailed("the log ended")

        yield call


@asynccontextmanager
async def running(
    team: Team[GoalT, OutcomeT], url: str | None = None, *, endpoints: Endpoints | None = None
) -> AsyncIterator[Client[GoalT, OutcomeT]]:
    """A whole team in this process: coordinator and specialists on one broker, and a client for it."""
    async with AsyncExitStack() as stack:
        where = url if url is not None else await stack.enter_async_context(broker())
        for specialist in team.specialists:
            await stack.enter_async_context(serving(specialist, where, team.name, endpoints=endpoints))
        bus = await stack.enter_async_context(open_bus(where, team.name, name="coordinator"))
        group = await stack.enter_async_context(anyio.create_task_group())
        await group.start(
            lambda task_status: coordinate(bus, team.policy(), instance=new_run(), task_status=task_status)
        )
        stack.callback(group.cancel_scope.cancel)
        yield await stack.enter_async_context(connect(team, where))


def _heard(specialist: Specialist, skill: str, output: object) -> Message | list[Message]:
    message = specialist.skills[skill].output.message
    if isinstance(output, list):
        return [message.of(element) for element in output]
    return message.of(output)  # type: ignore[arg-type]
