# Type checkers read agents/budgeting.py as hustings.agents.budgeting (setuptools maps it at install time).
from agents.budgeting import *
