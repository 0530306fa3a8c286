# Type checkers read agents/supervisor.py as hustings.agents.supervisor (setuptools maps it at install time).
from agents.supervisor import *
