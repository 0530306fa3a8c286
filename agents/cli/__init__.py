"""The command line, `hustings`: data goes to stdout, progress and logs to stderr; imports little, so --help is fast.
app lists the verbs. The exit code of each error stands in protocols/errors. Nothing else of agents imports it.
"""

from ..observe.sanitize import inert
from .app import main
from .frame.options import common, durability
from .frame.output import emit, say
from .frame.settings import Settings

__all__ = ["Settings", "common", "durability", "emit", "inert", "main", "say"]
