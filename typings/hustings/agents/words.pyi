# Type checkers read agents/words.py as hustings.agents.words (setuptools maps it at install time).
from agents.words import *
