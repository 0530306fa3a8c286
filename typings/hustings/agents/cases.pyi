# Type checkers read agents/cases.py as hustings.agents.cases (setuptools maps it at install time).
from agents.cases import *
