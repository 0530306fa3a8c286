"""Bus: everything that a member of a team needs, over one connection."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from hustings.protocols import COORDINATOR, Subjects
from hustings.protocols.subjects import token

from ..client.connection import Connection, connect
from .layout import ensure_layout
from .live import Live
from .log import Log
from .object_store import ObjectStore
from .work_queue import WorkQueue, open_work_queue


@dataclass(frozen=True)
class Bus:
    """One member's access to the bus of a team. `url` may contain credentials: show `redact(url)` instead."""

    team: str
    url: str = field(repr=False)
    connection: Connection
    log: Log
    live: Live
    blobs: ObjectStore

    def work_queue(self, agent: str, *, max_concurrent_tasks: int = 1) -> AbstractAsyncContextManager[WorkQueue]:
        """The tasks assigned to an agent, including those from before its first start; so many at a time."""
        subjects = Subjects(self.team)
        filtered = subjects.tasks(token(agent, "agent"))
        return open_work_queue(
            self.connection, self.log, subjects, name=agent, subject=filtered, max_concurrent_tasks=max_concurrent_tasks
        )

    def goals(self, *, max_concurrent_tasks: int = 1) -> AbstractAsyncContextManager[WorkQueue]:
        """The goals that no coordinator drives yet; at most `max_concurrent_tasks` at a time."""
        subjects = Subjects(self.team)
        filtered = subjects.goals()
        return open_work_queue(
            self.connection,
            self.log,
            subjects,
            name=COORDINATOR,
            subject=filtered,
            max_concurrent_tasks=max_concurrent_tasks,
        )


@asynccontextmanager
async def open_bus(url: str, team: str, *, name: str) -> AsyncIterator[Bus]:
    """Connect as `name` to the bus of a team, and create what the team needs on the server.

    Raises BadName for the team, what `connect` raises, Denied, and BusFull without room for a log.
    """
    subjects = Subjects(token(team, "team"))
    async with connect(url, name=name) as connection:
        await ensure_layout(connection, subjects)
        blobs = ObjectStore(connection, subjects)
        yield Bus(team, url, connection, Log(connection, subjects, blobs), Live(connection, subjects), blobs)
