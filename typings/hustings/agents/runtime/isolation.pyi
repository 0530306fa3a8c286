# Type checkers read agents/runtime/isolation.py as hustings.agents.runtime.isolation (setuptools maps it at install time).
from agents.runtime.isolation import *
