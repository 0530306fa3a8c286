"""The client for scripts and notebooks: the methods of `Client` and `Run`, without await.

A thread with an event loop of its own does the work, so it may be used inside a running loop too.
"""

from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Generic

from anyio.from_thread import BlockingPortal, start_blocking_portal

from hustings.protocols import Budget, Entry

from ..history.run_report import RunReport, RunStatus
from . import client as awaited
from .client import AnyBlob, GoalT
from .run import OutcomeT
from .run import Run as AwaitedRun

if TYPE_CHECKING:
    from ..team import Team

__all__ = ["Client", "Run", "connect"]


class Run(Generic[OutcomeT]):
    """One run of a team, under way or ended, as `hustings.Run`; each method blocks."""

    def __init__(self, portal: BlockingPortal, run: AwaitedRun[OutcomeT]) -> None:
        self.id = run.id
        self._portal = portal
        self._run = run

    def __str__(self) -> str:
        return self.id

    def outcome(self, *, partial: bool = False) -> OutcomeT:
        """Wait for the end of the run, and give its outcome; raises as `hustings.Run.outcome`."""
        return self._portal.call(lambda: self._run.outcome(partial=partial))

    def wait(self) -> RunReport:
        """Wait for the end of the run, however it ends, and give its report. Raises NotFound."""
        return self._portal.call(self._run.wait)

    def status(self) -> RunStatus:
        """The status of the run now. Raises NotFound."""
        return self._portal.call(self._run.status)

    def report(self) -> RunReport:
        """The report of the run as its log is now. Raises NotFound."""
        return self._portal.call(self._run.report)

    def cancel(self, because: str = "") -> int:
        """Cancel the run; gives the position of this on the log. The coordinator's next event ends the run."""
        return self._portal.call(self._run.cancel, because)

    def follow(self, after: int = 0) -> Iterator[Entry]:
        """Every entry of the run behind the sequence `after`, as it comes, up to the conclusion."""
        entries: SimpleQueue[Entry | None] = SimpleQueue()
        following = self._portal.start_task_soon(self._follow, after, entries)
        try:
            yield from iter(entries.get, None)
            following.result()
        finally:
            following.cancel()

    async def _follow(self, after: int, entries: SimpleQueue[Entry | None]) -> None:
        """In one task: an async generator must not be resumed from several."""
        try:
            async with aclosing(self._run.follow(after)) as followed:
                async for entry in followed:
                    entries.put(entry)
        finally:
            entries.put(None)


class Client(Generic[GoalT, OutcomeT]):
    """A client of one team, as `hustings.Client`; each method blocks."""

    def __init__(self, portal: BlockingPortal, client: awaited.Client[GoalT, OutcomeT]) -> None:
        self._portal = portal
        self._client = client

    def upload(self, path: Path, kind: type[AnyBlob]) -> AnyBlob:
        """Upload a file, or a packed folder, for the team to read. Raises UsageError."""
        return self._portal.call(self._client.upload, path, kind)

    def ask(
        self,
        goal: GoalT,
        *,
        run: str | None = None,
        execution_timeout: float | None = None,
        only: Sequence[str] = (),
        skip: Sequence[str] = (),
        budget: Budget | None = None,
    ) -> Run[OutcomeT]:
        """Start a run; parameters and errors as in `hustings.Client.ask`."""
        ask = partial(
            self._client.ask, goal, run=run, execution_timeout=execution_timeout, only=only, skip=skip, budget=budget
        )
        return Run(self._portal, self._portal.call(ask))

    def run(self, id: str) -> Run[OutcomeT]:
        """The handle of a run that was started before, here or elsewhere."""
        return Run(self._portal, self._client.run(id))


@contextmanager
def connect(team: "Team[GoalT, OutcomeT]", url: str, *, name: str = "client") -> Iterator[Client[GoalT, OutcomeT]]:
    """A client of the team at the broker behind `url`. Raises BrokerUnavailable, BadCredentials, BrokerUnfit."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(awaited.connect(team, url, name=name)) as client,
    ):
        yield Client(portal, client)
