# Type checkers read agents/serving.py as hustings.agents.serving (setuptools maps it at install time).
from agents.serving import *
