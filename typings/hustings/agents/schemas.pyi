# Type checkers read agents/schemas.py as hustings.agents.schemas (setuptools maps it at install time).
from agents.schemas import *
