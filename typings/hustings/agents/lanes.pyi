# Type checkers read agents/lanes.py as hustings.agents.lanes (setuptools maps it at install time).
from agents.lanes import *
