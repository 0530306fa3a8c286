# Type checkers read agents/models/wire.py as hustings.agents.models.wire (setuptools maps it at install time).
from agents.models.wire import *
