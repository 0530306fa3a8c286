# Type checkers read examples/review_board/vulture.py as hustings.examples.review_board.vulture (setuptools maps it at install time).
from examples.review_board.vulture import *
