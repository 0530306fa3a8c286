# Type checkers read agents/runtime/ as hustings.agents.runtime (setuptools maps it at install time).
from agents.runtime import *
