# Type checkers read protocols/ as hustings.protocols (setuptools maps it at install time).
from protocols import *
