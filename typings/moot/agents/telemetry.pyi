# Type checkers read agents/telemetry.py as moot.agents.telemetry (setuptools maps it at install time).
from agents.telemetry import *
