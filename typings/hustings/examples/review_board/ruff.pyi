# Type checkers read examples/review_board/ruff.py as hustings.examples.review_board.ruff (setuptools maps it at install time).
from examples.review_board.ruff import *
