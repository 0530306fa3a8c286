# Type checkers read agents/arbitration.py as hustings.agents.arbitration (setuptools maps it at install time).
from agents.arbitration import *
