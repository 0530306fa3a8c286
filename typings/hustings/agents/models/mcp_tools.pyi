# Type checkers read agents/models/mcp_tools.py as hustings.agents.models.mcp_tools (setuptools maps it at install time).
from agents.models.mcp_tools import *
