# Type checkers read examples/review_board/team.py as hustings.examples.review_board.team (setuptools maps it at install time).
from examples.review_board.team import *
