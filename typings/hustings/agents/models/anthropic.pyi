# Type checkers read agents/models/anthropic.py as hustings.agents.models.anthropic (setuptools maps it at install time).
from agents.models.anthropic import *
