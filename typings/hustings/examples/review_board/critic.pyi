# Type checkers read examples/review_board/critic.py as hustings.examples.review_board.critic (setuptools maps it at install time).
from examples.review_board.critic import *
