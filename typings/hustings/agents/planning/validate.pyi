# Type checkers read agents/planning/validate.py as hustings.agents.planning.validate (setuptools maps it at install time).
from agents.planning.validate import *
