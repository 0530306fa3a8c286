# Type checkers read agents/process.py as hustings.agents.process (setuptools maps it at install time).
from agents.process import *
