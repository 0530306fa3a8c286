# Type checkers read agents/cli/verbs/goal.py as hustings.agents.cli.verbs.goal (setuptools maps it at install time).
from agents.cli.verbs.goal import *
