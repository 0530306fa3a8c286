# Type checkers read agents/models/ as hustings.agents.models (setuptools maps it at install time).
from agents.models import *
