# Type checkers read agents/folding.py as hustings.agents.folding (setuptools maps it at install time).
from agents.folding import *
