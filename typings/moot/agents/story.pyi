# Type checkers read agents/story.py as moot.agents.story (setuptools maps it at install time).
from agents.story import *
