# Type checkers read agents/planning/draft.py as hustings.agents.planning.draft (setuptools maps it at install time).
from agents.planning.draft import *
