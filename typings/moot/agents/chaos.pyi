# Type checkers read agents/chaos/ as moot.agents.chaos (setuptools maps it at install time).
from agents.chaos import *
