"""The chaos team with a bug planted into each of its processes: the one that HUSTINGS_PLANTED names.

Not into the process that imports it to break the team and to check: the judge must be sane.
"""

import os

from hustings.examples.chaos_team import team
from tests.simulation.planted import plant_if_asked

if "HUSTINGS_HISTORY" in os.environ:  # which `hustings chaos` gives to the processes it starts
    plant_if_asked()

__all__ = ["team"]
