# Type checkers read examples/chaos_team/ as hustings.examples.chaos_team (setuptools maps it at install time).
from examples.chaos_team import *
