# Type checkers read examples/research_desk/understudy.py as hustings.examples.research_desk.understudy (setuptools maps it at install time).
from examples.research_desk.understudy import *
