"""The transport: broker, connection, log, work queue, live messages, object store, layout."""

from .background import background, task_group
from .broker.broker import embedded, find_embedded
from .broker.home import make_home
from .client.connection import Connection, connect
from .failpoints import failpoint
from .team.backup import BackupFailed, Manifest, back_up, restore_backup
from .team.bus import Bus, open_bus
from .team.live import Feed, Live
from .team.log import FILLING, NEARLY_FULL, Log, RunHead, Usage
from .team.object_store import ObjectStore
from .team.removal import Removal, Survey, remove, survey, under_way
from .team.teams import team_names
from .team.work_queue import Delivery, WorkQueue

__all__ = [  # noqa: RUF022 - a table of contents
    # the bus of a team
    "open_bus", "Bus", "team_names",
    # what is stored, and who receives it
    "Log", "RunHead", "Usage", "FILLING", "NEARLY_FULL", "WorkQueue", "Delivery", "ObjectStore",
    # what is removed
    "survey", "Survey", "under_way", "remove", "Removal",
    # all of it in a file, and back
    "back_up", "restore_backup", "Manifest", "BackupFailed",
    # live messages
    "Live", "Feed",
    # the broker and the connection to it
    "embedded", "find_embedded", "make_home", "connect", "Connection",
    # points at which a process can be watched or crashed
    "failpoint",
    # structured concurrency
    "background", "task_group",
]  # fmt: skip
