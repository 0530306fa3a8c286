# Type checkers read examples/ as hustings.examples (setuptools maps it at install time).
from examples import *
