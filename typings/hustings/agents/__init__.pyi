# Type checkers read agents/ as hustings.agents (setuptools maps it at install time).
from agents import *
