# Type checkers read examples/review_board/mypy.py as hustings.examples.review_board.mypy (setuptools maps it at install time).
from examples.review_board.mypy import *
