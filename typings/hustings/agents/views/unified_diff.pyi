# Type checkers read agents/views/unified_diff.py as hustings.agents.views.unified_diff (setuptools maps it at install time).
from agents.views.unified_diff import *
