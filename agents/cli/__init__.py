"""The command line: stdout is data, stderr is progress and logs. Light, so that `hustings --help` comes at once."""

from .app import main
from .frame.options import common, durability
from .frame.output import emit, inert, say
from .frame.settings import Settings

__all__ = ["Settings", "common", "durability", "emit", "inert", "main", "say"]
