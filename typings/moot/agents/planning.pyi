# Type checkers read agents/planning.py as moot.agents.planning (setuptools maps it at install time).
from agents.planning import *
