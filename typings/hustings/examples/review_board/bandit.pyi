# Type checkers read examples/review_board/bandit.py as hustings.examples.review_board.bandit (setuptools maps it at install time).
from examples.review_board.bandit import *
