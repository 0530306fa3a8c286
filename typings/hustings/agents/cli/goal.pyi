# Type checkers read agents/cli/goal.py as hustings.agents.cli.goal (setuptools maps it at install time).
from agents.cli.goal import *
