# Type checkers read agents/planning/json_schema.py as hustings.agents.planning.json_schema (setuptools maps it at install time).
from agents.planning.json_schema import *
