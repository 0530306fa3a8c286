# Type checkers read agents/deploy/ as hustings.agents.deploy (setuptools maps it at install time).
from agents.deploy import *
