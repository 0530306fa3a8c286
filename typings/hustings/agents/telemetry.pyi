# Type checkers read agents/telemetry.py as hustings.agents.telemetry (setuptools maps it at install time).
from agents.telemetry import *
