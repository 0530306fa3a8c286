# Type checkers read examples/research_desk/ as hustings.examples.research_desk (setuptools maps it at install time).
from examples.research_desk import *
