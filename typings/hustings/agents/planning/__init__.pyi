# Type checkers read agents/planning/ as hustings.agents.planning (setuptools maps it at install time).
from agents.planning import *
