# Type checkers read agents/sketching.py as moot.agents.sketching (setuptools maps it at install time).
from agents.sketching import *
