# Type checkers read agents/supervisor.py as moot.agents.supervisor (setuptools maps it at install time).
from agents.supervisor import *
