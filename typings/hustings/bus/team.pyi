# Type checkers read bus/team/ as hustings.bus.team (setuptools maps it at install time).
from bus.team import *
