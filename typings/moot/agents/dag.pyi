# Type checkers read agents/dag.py as moot.agents.dag (setuptools maps it at install time).
from agents.dag import *
