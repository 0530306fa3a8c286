# Type checkers read agents/runtime/process.py as hustings.agents.runtime.process (setuptools maps it at install time).
from agents.runtime.process import *
