"""Injects faults into a team of real processes by a seed, and checks its whole history from outside.
It may import everything up to agents/views, but not the command line.
"""

from .checker import CHECKS, Violation, check
from .faults import Fault, schedule
from .figures import figures
from .history import (
    Effect,
    History,
    Injected,
    Op,
    dump,
    load,
)
from .storm import storm

__all__ = [
    "CHECKS",
    "Effect",
    "Fault",
    "History",
    "Injected",
    "Op",
    "Violation",
    "check",
    "dump",
    "figures",
    "load",
    "schedule",
    "storm",
]
