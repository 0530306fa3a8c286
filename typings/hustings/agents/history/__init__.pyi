# Type checkers read agents/history/ as hustings.agents.history (setuptools maps it at install time).
from agents.history import *
