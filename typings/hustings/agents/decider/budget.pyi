# Type checkers read agents/decider/budget.py as hustings.agents.decider.budget (setuptools maps it at install time).
from agents.decider.budget import *
