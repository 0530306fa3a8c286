# Type checkers read examples/review_board/api_guard.py as hustings.examples.review_board.api_guard (setuptools maps it at install time).
from examples.review_board.api_guard import *
