# Type checkers read agents/state.py as hustings.agents.state (setuptools maps it at install time).
from agents.state import *
