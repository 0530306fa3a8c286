"""Invalid messages: what is unreadable or came to the wrong place is counted, and told of at a bounded rate."""

import math
import time

from hustings.protocols import Entry

from ..observe.logger import structlog

OFTEN = 10.0  # seconds between two lines of the log


class InvalidMessages:
    """What one process has dropped because it cannot be read, or does not belong where it came."""

    def __init__(self) -> None:
        self.count = 0
        self._told = -math.inf

    def note(self, entry: Entry) -> None:
        """One more. The first is told at once; then there is a line every ten seconds, as long as they come."""
        self.count += 1
        now = time.monotonic()
        if now - self._told >= OFTEN:
            self._told = now
            why = entry.why or "it does not belong here"
            structlog.get_logger().warning("dropped", seq=entry.seq, run=entry.subject.run, why=why, so_far=self.count)
