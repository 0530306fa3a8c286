# Type checkers read agents/sketching.py as hustings.agents.sketching (setuptools maps it at install time).
from agents.sketching import *
