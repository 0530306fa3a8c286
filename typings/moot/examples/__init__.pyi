# Type checkers read examples/ as moot.examples (setuptools maps it at install time).
from examples import *
