# Type checkers read agents/cli/ as moot.agents.cli (setuptools maps it at install time).
from agents.cli import *
