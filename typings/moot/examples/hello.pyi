# Type checkers read examples/hello/ as moot.examples.hello (setuptools maps it at install time).
from examples.hello import *
