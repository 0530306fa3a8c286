# Type checkers read agents/decider/policy.py as hustings.agents.decider.policy (setuptools maps it at install time).
from agents.decider.policy import *
