# Type checkers read examples/review_board/autoflake.py as hustings.examples.review_board.autoflake (setuptools maps it at install time).
from examples.review_board.autoflake import *
