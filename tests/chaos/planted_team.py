"""The chaos team with a bug planted into every process that imports it: the one that MOOT_PLANTED names."""

import os

from moot.examples.chaos_team import team
from tests.simulation.planted import plant

plant(os.environ["MOOT_PLANTED"])

__all__ = ["team"]
