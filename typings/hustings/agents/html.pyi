# Type checkers read agents/html.py as hustings.agents.html (setuptools maps it at install time).
from agents.html import *
