# Type checkers read agents/folding.py as moot.agents.folding (setuptools maps it at install time).
from agents.folding import *
