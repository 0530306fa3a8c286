# Type checkers read agents/decider/ as hustings.agents.decider (setuptools maps it at install time).
from agents.decider import *
