# Type checkers read examples/review_board/flynt.py as hustings.examples.review_board.flynt (setuptools maps it at install time).
from examples.review_board.flynt import *
