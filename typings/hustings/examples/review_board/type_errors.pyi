# Type checkers read examples/review_board/type_errors.py as hustings.examples.review_board.type_errors (setuptools maps it at install time).
from examples.review_board.type_errors import *
