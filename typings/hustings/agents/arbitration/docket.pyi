# Type checkers read agents/arbitration/docket.py as hustings.agents.arbitration.docket (setuptools maps it at install time).
from agents.arbitration.docket import *
