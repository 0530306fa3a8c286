# Type checkers read agents/dag.py as hustings.agents.dag (setuptools maps it at install time).
from agents.dag import *
