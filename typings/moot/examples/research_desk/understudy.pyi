# Type checkers read examples/research_desk/understudy.py as moot.examples.research_desk.understudy (setuptools maps it at install time).
from examples.research_desk.understudy import *
