# Type checkers read agents/cli/launch.py as hustings.agents.cli.launch (setuptools maps it at install time).
from agents.cli.launch import *
