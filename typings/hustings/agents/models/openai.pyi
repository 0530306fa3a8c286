# Type checkers read agents/models/openai.py as hustings.agents.models.openai (setuptools maps it at install time).
from agents.models.openai import *
