# Type checkers read agents/runtime/presence.py as hustings.agents.runtime.presence (setuptools maps it at install time).
from agents.runtime.presence import *
