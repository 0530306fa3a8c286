# Type checkers read agents/budgeting.py as moot.agents.budgeting (setuptools maps it at install time).
from agents.budgeting import *
