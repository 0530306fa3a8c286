# Type checkers read agents/skills/ as hustings.agents.skills (setuptools maps it at install time).
from agents.skills import *
