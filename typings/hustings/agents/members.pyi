# Type checkers read agents/members/ as hustings.agents.members (setuptools maps it at install time).
from agents.members import *
