# Type checkers read agents/decider/folding.py as hustings.agents.decider.folding (setuptools maps it at install time).
from agents.decider.folding import *
