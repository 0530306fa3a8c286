# Type checkers read agents/history/dead_letters.py as hustings.agents.history.dead_letters (setuptools maps it at install time).
from agents.history.dead_letters import *
