# Type checkers read agents/views/html/gantt.py as hustings.agents.views.html.gantt (setuptools maps it at install time).
from agents.views.html.gantt import *
