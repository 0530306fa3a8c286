# Type checkers read agents/logs.py as hustings.agents.logs (setuptools maps it at install time).
from agents.logs import *
