# Type checkers read agents/diffs.py as hustings.agents.diffs (setuptools maps it at install time).
from agents.diffs import *
