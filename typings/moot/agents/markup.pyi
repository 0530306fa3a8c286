# Type checkers read agents/markup.py as moot.agents.markup (setuptools maps it at install time).
from agents.markup import *
