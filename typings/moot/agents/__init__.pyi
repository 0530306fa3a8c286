# Type checkers read agents/ as moot.agents (setuptools maps it at install time).
from agents import *
