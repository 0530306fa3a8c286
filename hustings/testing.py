"""For tests: a specialist, or a whole team, on a real temporary broker, and a fake endpoint of models."""

from hustings.agents.testing import *  # noqa: F403 - all of its __all__
from hustings.agents.testing import __all__ as __all__
