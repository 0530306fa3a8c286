# Type checkers read agents/observe/logs.py as hustings.agents.observe.logs (setuptools maps it at install time).
from agents.observe.logs import *
