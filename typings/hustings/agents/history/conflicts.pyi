# Type checkers read agents/history/conflicts.py as hustings.agents.history.conflicts (setuptools maps it at install time).
from agents.history.conflicts import *
