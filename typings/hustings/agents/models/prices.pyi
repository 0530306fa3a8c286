# Type checkers read agents/models/prices.py as hustings.agents.models.prices (setuptools maps it at install time).
from agents.models.prices import *
