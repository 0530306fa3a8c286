# Type checkers read examples/review_board/ as moot.examples.review_board (setuptools maps it at install time).
from examples.review_board import *
