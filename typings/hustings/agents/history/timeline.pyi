# Type checkers read agents/history/timeline.py as hustings.agents.history.timeline (setuptools maps it at install time).
from agents.history.timeline import *
