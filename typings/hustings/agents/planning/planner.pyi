# Type checkers read agents/planning/planner.py as hustings.agents.planning.planner (setuptools maps it at install time).
from agents.planning.planner import *
