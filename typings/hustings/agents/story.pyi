# Type checkers read agents/story.py as hustings.agents.story (setuptools maps it at install time).
from agents.story import *
