# Type checkers read examples/review_board/isort.py as hustings.examples.review_board.isort (setuptools maps it at install time).
from examples.review_board.isort import *
