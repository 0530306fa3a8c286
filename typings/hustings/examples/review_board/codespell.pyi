# Type checkers read examples/review_board/codespell.py as hustings.examples.review_board.codespell (setuptools maps it at install time).
from examples.review_board.codespell import *
