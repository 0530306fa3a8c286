# Type checkers read agents/chaos/ as hustings.agents.chaos (setuptools maps it at install time).
from agents.chaos import *
