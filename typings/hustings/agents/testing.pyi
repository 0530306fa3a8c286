# Type checkers read agents/testing.py as hustings.agents.testing (setuptools maps it at install time).
from agents.testing import *
