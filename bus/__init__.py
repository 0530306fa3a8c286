"""How it is carried: broker, connection, log, inbox, live, blobs, layout."""

from .blobs import Blobs
from .broker import embedded, find_embedded
from .bus import Bus, open_bus
from .connection import Connection, connect
from .contact import redact
from .inbox import Delivery, Inbox
from .layout import ensure_layout
from .live import Feed, Live, Present
from .log import Log, RunHead
from .points import POINTS, reach
from .server import Durability, alive, gone
from .tasks import beside
from .teams import team_names

__all__ = [  # noqa: RUF022 - a table of contents
    # the bus of a team
    "open_bus", "Bus", "team_names",
    # what is said for good, and who it is for
    "Log", "RunHead", "Inbox", "Delivery", "Blobs",
    # what is said live
    "Live", "Feed", "Present",
    # the broker and the way to it
    "embedded", "find_embedded", "Durability", "connect", "Connection", "redact", "ensure_layout",
    # moments that can be watched, or crashed at
    "POINTS", "reach",
    # structured concurrency
    "beside", "gone", "alive",
]  # fmt: skip
