# Type checkers read agents/cli/frame/session.py as hustings.agents.cli.frame.session (setuptools maps it at install time).
from agents.cli.frame.session import *
