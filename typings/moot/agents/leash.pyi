# Type checkers read agents/leash.py as moot.agents.leash (setuptools maps it at install time).
from agents.leash import *
