# Type checkers read agents/arbitration.py as moot.agents.arbitration (setuptools maps it at install time).
from agents.arbitration import *
