# Type checkers read agents/record.py as hustings.agents.record (setuptools maps it at install time).
from agents.record import *
