# Type checkers read agents/arbitration/matters.py as hustings.agents.arbitration.matters (setuptools maps it at install time).
from agents.arbitration.matters import *
