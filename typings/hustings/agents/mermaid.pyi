# Type checkers read agents/mermaid.py as hustings.agents.mermaid (setuptools maps it at install time).
from agents.mermaid import *
