# Type checkers read examples/review_board/pyupgrade.py as hustings.examples.review_board.pyupgrade (setuptools maps it at install time).
from examples.review_board.pyupgrade import *
