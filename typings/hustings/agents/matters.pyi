# Type checkers read agents/matters.py as hustings.agents.matters (setuptools maps it at install time).
from agents.matters import *
