# Type checkers read agents/models/adapter.py as hustings.agents.models.adapter (setuptools maps it at install time).
from agents.models.adapter import *
