# Type checkers read examples/review_board/ruff_security.py as hustings.examples.review_board.ruff_security (setuptools maps it at install time).
from examples.review_board.ruff_security import *
