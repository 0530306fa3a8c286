# Type checkers read agents/chaos/figures.py as hustings.agents.chaos.figures (setuptools maps it at install time).
from agents.chaos.figures import *
