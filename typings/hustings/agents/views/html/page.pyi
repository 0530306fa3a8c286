# Type checkers read agents/views/html/page.py as hustings.agents.views.html.page (setuptools maps it at install time).
from agents.views.html.page import *
