# Type checkers read agents/models/ as moot.agents.models (setuptools maps it at install time).
from agents.models import *
