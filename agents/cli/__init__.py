"""The command line, `hustings`: data goes to stdout, progress and logs to stderr; imports little, so --help is fast.
app lists the verbs. The exit code of each error stands in protocols/errors. Nothing else of agents imports it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from ..observe.sanitize import inert
from .app import main
from .frame.duration import Duration
from .frame.options import common, common_and, durability, verbosity
from .frame.output import emit, say
from .frame.settings import Settings

if TYPE_CHECKING:
    from .verbs.run import RunOptions, run_team

__all__ = [
    "Duration", "RunOptions", "Settings", "common", "common_and", "durability", "emit", "inert", "main", "run_team",
    "say", "verbosity",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in ("RunOptions", "run_team"):  # imported on first use: --help must not wait for it
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(".verbs.run", __name__), name)
