# Type checkers read agents/planning.py as hustings.agents.planning (setuptools maps it at install time).
from agents.planning import *
