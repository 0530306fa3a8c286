# Type checkers read agents/skills/ask.py as hustings.agents.skills.ask (setuptools maps it at install time).
from agents.skills.ask import *
