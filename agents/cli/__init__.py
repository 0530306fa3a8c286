"""The command line: stdout is data, stderr is progress and logs. Light, so that `hustings --help` comes at once."""

from ..observe.sanitize import inert
from .app import main
from .frame.options import common, durability
from .frame.output import emit, say
from .frame.settings import Settings

__all__ = ["Settings", "common", "durability", "emit", "inert", "main", "say"]
