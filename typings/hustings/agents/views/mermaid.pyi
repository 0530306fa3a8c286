# Type checkers read agents/views/mermaid.py as hustings.agents.views.mermaid (setuptools maps it at install time).
from agents.views.mermaid import *
