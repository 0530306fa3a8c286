# Type checkers read agents/markup.py as hustings.agents.markup (setuptools maps it at install time).
from agents.markup import *
