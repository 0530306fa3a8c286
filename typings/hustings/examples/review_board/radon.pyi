# Type checkers read examples/review_board/radon.py as hustings.examples.review_board.radon (setuptools maps it at install time).
from examples.review_board.radon import *
