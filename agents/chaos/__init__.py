"""Chaos: a team of real processes is broken by a seed, and its whole history is checked from outside."""

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
