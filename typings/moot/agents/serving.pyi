# Type checkers read agents/serving.py as moot.agents.serving (setuptools maps it at install time).
from agents.serving import *
