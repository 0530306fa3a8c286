# Type checkers read agents/cli/ as hustings.agents.cli (setuptools maps it at install time).
from agents.cli import *
