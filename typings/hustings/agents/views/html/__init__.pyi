# Type checkers read agents/views/html/ as hustings.agents.views.html (setuptools maps it at install time).
from agents.views.html import *
