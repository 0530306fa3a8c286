# Type checkers read agents/checking.py as hustings.agents.checking (setuptools maps it at install time).
from agents.checking import *
