# Type checkers read agents/observe/telemetry.py as hustings.agents.observe.telemetry (setuptools maps it at install time).
from agents.observe.telemetry import *
