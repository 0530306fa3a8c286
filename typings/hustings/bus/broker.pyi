# Type checkers read bus/broker/ as hustings.bus.broker (setuptools maps it at install time).
from bus.broker import *
