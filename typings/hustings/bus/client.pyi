# Type checkers read bus/client/ as hustings.bus.client (setuptools maps it at install time).
from bus.client import *
