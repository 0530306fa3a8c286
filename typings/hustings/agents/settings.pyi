# Type checkers read agents/settings.py as hustings.agents.settings (setuptools maps it at install time).
from agents.settings import *
