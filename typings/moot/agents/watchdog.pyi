# Type checkers read agents/watchdog.py as moot.agents.watchdog (setuptools maps it at install time).
from agents.watchdog import *
