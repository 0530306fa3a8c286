# Type checkers read examples/chaos_team/team.py as hustings.examples.chaos_team.team (setuptools maps it at install time).
from examples.chaos_team.team import *
