"""Bus: everything a team's member needs, over one connection."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from hustings.protocols import COORDINATOR, Subjects, token

from ..client.connection import Connection, connect
from .layout import ensure_layout
from .live import Live
from .log import Log
from .object_store import Blobs
from .work_queue import Inbox, open_inbox


@dataclass(frozen=True)
class Bus:
    """One member's place on the bus of a team. `url` may have the credentials in it: show `redact(url)` instead."""

    team: str
    url: str = field(repr=False)
    connection: Connection
    log: Log
    live: Live
    blobs: Blobs

    def inbox(self, agent: str, *, hands: int = 1) -> AbstractAsyncContextManager[Inbox]:
        """The tasks assigned to an agent, also those from before it ever started; at most `hands` at a time."""
        subjects = Subjects(self.team)
        filtered = subjects.tasks(token(agent, "agent"))
        return open_inbox(self.connection, self.log, subjects, name=agent, subject=filtered, hands=hands)

    def goals(self, *, hands: int = 1) -> AbstractAsyncContextManager[Inbox]:
        """The goals that nobody drives, for a coordinator; at most `hands` at a time."""
        subjects = Subjects(self.team)
        filtered = subjects.goals()
        return open_inbox(self.connection, self.log, subjects, name=COORDINATOR, subject=filtered, hands=hands)


@asynccontextmanager
async def open_bus(url: str, team: str, *, name: str) -> AsyncIterator[Bus]:
    """Connect as `name` to the bus of a team, and create what the team needs on the server.

    Raises BadName for the team, what `connect` raises within two seconds, Denied, and BusFull without room for a log.
    """
    subjects = Subjects(token(team, "team"))
    async with connect(url, name=name) as connection:
        await ensure_layout(connection, subjects)
        blobs = Blobs(connection, subjects)
        yield Bus(team, url, connection, Log(connection, subjects, blobs), Live(connection, subjects), blobs)
