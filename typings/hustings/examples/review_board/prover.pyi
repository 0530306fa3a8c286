# Type checkers read examples/review_board/prover.py as hustings.examples.review_board.prover (setuptools maps it at install time).
from examples.review_board.prover import *
