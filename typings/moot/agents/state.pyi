# Type checkers read agents/state.py as moot.agents.state (setuptools maps it at install time).
from agents.state import *
