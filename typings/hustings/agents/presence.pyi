# Type checkers read agents/presence.py as hustings.agents.presence (setuptools maps it at install time).
from agents.presence import *
