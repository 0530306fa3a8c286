# Type checkers read agents/judging.py as hustings.agents.judging (setuptools maps it at install time).
from agents.judging import *
