# Type checkers read examples/review_board/config.py as hustings.examples.review_board.config (setuptools maps it at install time).
from examples.review_board.config import *
