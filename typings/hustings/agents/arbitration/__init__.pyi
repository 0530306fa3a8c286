# Type checkers read agents/arbitration/ as hustings.agents.arbitration (setuptools maps it at install time).
from agents.arbitration import *
