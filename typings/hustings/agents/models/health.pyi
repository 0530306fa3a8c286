# Type checkers read agents/models/health.py as hustings.agents.models.health (setuptools maps it at install time).
from agents.models.health import *
