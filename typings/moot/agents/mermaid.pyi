# Type checkers read agents/mermaid.py as moot.agents.mermaid (setuptools maps it at install time).
from agents.mermaid import *
