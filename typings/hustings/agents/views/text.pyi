# Type checkers read agents/views/text.py as hustings.agents.views.text (setuptools maps it at install time).
from agents.views.text import *
