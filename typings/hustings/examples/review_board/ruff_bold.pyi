# Type checkers read examples/review_board/ruff_bold.py as hustings.examples.review_board.ruff_bold (setuptools maps it at install time).
from examples.review_board.ruff_bold import *
