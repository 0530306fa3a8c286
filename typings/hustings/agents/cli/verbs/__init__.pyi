# Type checkers read agents/cli/verbs/ as hustings.agents.cli.verbs (setuptools maps it at install time).
from agents.cli.verbs import *
