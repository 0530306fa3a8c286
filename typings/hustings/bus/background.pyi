# Type checkers read bus/background.py as hustings.bus.background (setuptools maps it at install time).
from bus.background import *
