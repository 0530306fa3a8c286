# Type checkers read agents/models/endpoints.py as hustings.agents.models.endpoints (setuptools maps it at install time).
from agents.models.endpoints import *
