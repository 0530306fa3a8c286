# Type checkers read agents/cli/frame/ as hustings.agents.cli.frame (setuptools maps it at install time).
from agents.cli.frame import *
