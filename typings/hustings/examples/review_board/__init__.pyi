# Type checkers read examples/review_board/ as hustings.examples.review_board (setuptools maps it at install time).
from examples.review_board import *
