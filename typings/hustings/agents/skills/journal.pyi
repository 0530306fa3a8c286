# Type checkers read agents/skills/journal.py as hustings.agents.skills.journal (setuptools maps it at install time).
from agents.skills.journal import *
