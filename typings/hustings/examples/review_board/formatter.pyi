# Type checkers read examples/review_board/formatter.py as hustings.examples.review_board.formatter (setuptools maps it at install time).
from examples.review_board.formatter import *
