# Type checkers read agents/client/ as hustings.agents.client (setuptools maps it at install time).
from agents.client import *
