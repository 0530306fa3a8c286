# Type checkers read agents/watchdog.py as hustings.agents.watchdog (setuptools maps it at install time).
from agents.watchdog import *
