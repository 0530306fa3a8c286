# Type checkers read agents/cell.py as hustings.agents.cell (setuptools maps it at install time).
from agents.cell import *
