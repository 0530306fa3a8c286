# Type checkers read agents/observe/sanitize.py as hustings.agents.observe.sanitize (setuptools maps it at install time).
from agents.observe.sanitize import *
