"""The chaos team with a bug planted into each of its processes: the one that MOOT_PLANTED names.

Not into the process that imports it to break the team and to check: the judge must be sane.
"""

import os

from moot.examples.chaos_team import team
from tests.simulation.planted import plant_if_asked

if "MOOT_HISTORY" in os.environ:  # which `moot chaos` gives to the processes it starts
    plant_if_asked()

__all__ = ["team"]
