# Type checkers read agents/judging.py as moot.agents.judging (setuptools maps it at install time).
from agents.judging import *
