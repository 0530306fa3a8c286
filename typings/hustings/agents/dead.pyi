# Type checkers read agents/dead.py as hustings.agents.dead (setuptools maps it at install time).
from agents.dead import *
