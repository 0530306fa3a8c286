# Type checkers read examples/review_board/baseline.py as hustings.examples.review_board.baseline (setuptools maps it at install time).
from examples.review_board.baseline import *
