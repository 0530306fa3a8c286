"""Effects: what a task does outside. The table has no unique constraint, so that a repeated effect shows."""

import os
import sqlite3
import time
from contextlib import closing

from hustings import TaskContext
from hustings.bus import failpoint
from hustings.protocols import Data

EFFECTS = "HUSTINGS_EFFECTS"  # in the environment: the SQLite file; `hustings chaos` makes it, with the table `effects`
LOCKED = 60.0  # seconds to wait for a process that holds the file, which may be suspended


def effect(context: TaskContext) -> None:
    """Do it once: the key is the same in every attempt, and look-up and insert are one transaction."""
    key = context.once()
    about: Data = {"run": context.run, "task": context.task, "attempt": context.attempt}
    with closing(sqlite3.connect(os.environ[EFFECTS], timeout=LOCKED, isolation_level=None)) as database:
        failpoint("effect.before", **about)
        database.execute("BEGIN IMMEDIATE")
        if not database.execute("SELECT 1 FROM effects WHERE key = ?", (key,)).fetchone():
            row = (key, context.run, context.task, context.attempt, os.getpid(), time.monotonic_ns())
            database.execute("INSERT INTO effects VALUES (?, ?, ?, ?, ?, ?)", row)
        database.execute("COMMIT")
        failpoint("effect.after", **about)
