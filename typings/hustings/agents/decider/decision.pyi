# Type checkers read agents/decider/decision.py as hustings.agents.decider.decision (setuptools maps it at install time).
from agents.decider.decision import *
