"""The command line, `hustings`: data goes to stdout, progress and logs to stderr; imports little, so --help is fast.
Exit codes: of a run in history/run_report, of an error in protocols/errors. Nothing else of agents imports it.
"""

from ..observe.sanitize import inert
from .app import main
from .frame.options import common, durability
from .frame.output import emit, say
from .frame.settings import Settings

__all__ = ["Settings", "common", "durability", "emit", "inert", "main", "say"]
