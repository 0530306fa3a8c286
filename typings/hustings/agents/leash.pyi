# Type checkers read agents/leash.py as hustings.agents.leash (setuptools maps it at install time).
from agents.leash import *
