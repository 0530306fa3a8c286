# Type checkers read examples/hello/ as hustings.examples.hello (setuptools maps it at install time).
from examples.hello import *
