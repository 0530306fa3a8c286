# Type checkers read protocols/ as moot.protocols (setuptools maps it at install time).
from protocols import *
