# Type checkers read agents/skills/leash.py as hustings.agents.skills.leash (setuptools maps it at install time).
from agents.skills.leash import *
