# Type checkers read agents/models/rules.py as hustings.agents.models.rules (setuptools maps it at install time).
from agents.models.rules import *
