# Type checkers read agents/models/mcp.py as hustings.agents.models.mcp (setuptools maps it at install time).
from agents.models.mcp import *
