# Type checkers read agents/views/ as hustings.agents.views (setuptools maps it at install time).
from agents.views import *
