"""Teams: which teams have a log on a broker."""

from hustings.protocols import Subjects

from ..client.connection import Connection
from ..client.jetstream import StreamNames, call, persist

_PREFIX = Subjects("").stream()
_ANY = Subjects("*").log()


async def team_names(connection: Connection) -> list[str]:
    """The teams that have a log on this broker, ordered. Raises Denied, Unanswered, BrokerUnavailable."""
    found: list[str] = []
    while True:
        page = await _page(connection, len(found))
        found += page.streams or []
        if not page.streams or len(found) >= page.total:
            return sorted(name.removeprefix(_PREFIX) for name in found if name.startswith(_PREFIX))


async def _page(connection: Connection, offset: int) -> StreamNames:
    """One page of the names of streams that store runs, from `offset` on."""
    return await persist(lambda: call(connection, "STREAM.NAMES", {"offset": offset, "subject": _ANY}, StreamNames))
