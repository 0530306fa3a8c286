"""Invalid messages in a work queue: counts them, and logs them at a limited rate. Those on a run's log are counted in
its state (decider/fold_tasks.py)."""

import math
import time

from hustings.protocols import Entry

from ..observe.logger import structlog

OFTEN = 10.0  # seconds between two log lines


class InvalidMessages:
    """The messages that one process has dropped because they are unreadable or in the wrong place."""

    def __init__(self) -> None:
        self.count = 0
        self._told = -math.inf

    def note(self, entry: Entry) -> None:
        """Count one. The first is logged at once; then there is a line every ten seconds while more come."""
        self.count += 1
        now = time.monotonic()
        if now - self._told >= OFTEN:
            self._told = now
            why = entry.why or "it does not belong here"
            structlog.get_logger().warning("dropped", seq=entry.seq, run=entry.subject.run, why=why, so_far=self.count)
