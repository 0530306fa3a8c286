"""The transport: broker, connection, log, work queue, live messages, object store, layout."""

from .background import background
from .broker.broker import embedded, find_embedded
from .broker.server import Durability, process_exited, process_running
from .client.connection import Connection, connect
from .client.contact import redact
from .failpoints import FAILPOINTS, failpoint
from .team.bus import Bus, open_bus
from .team.layout import ensure_layout
from .team.live import Feed, Live, Present
from .team.log import Log, RunHead
from .team.object_store import ObjectStore
from .team.teams import team_names
from .team.work_queue import Delivery, WorkQueue

__all__ = [  # noqa: RUF022 - a table of contents
    # the bus of a team
    "open_bus", "Bus", "team_names",
    # what is stored, and who receives it
    "Log", "RunHead", "WorkQueue", "Delivery", "ObjectStore",
    # live messages
    "Live", "Feed", "Present",
    # the broker and the connection to it
    "embedded", "find_embedded", "Durability", "connect", "Connection", "redact", "ensure_layout",
    # points at which a process can be watched or crashed
    "FAILPOINTS", "failpoint",
    # structured concurrency
    "background", "process_exited", "process_running",
]  # fmt: skip
