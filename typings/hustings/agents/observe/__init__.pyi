# Type checkers read agents/observe/ as hustings.agents.observe (setuptools maps it at install time).
from agents.observe import *
