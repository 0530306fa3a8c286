# Type checkers read examples/review_board/scribe.py as hustings.examples.review_board.scribe (setuptools maps it at install time).
from examples.review_board.scribe import *
