# Type checkers read agents/runtime/heartbeat.py as hustings.agents.runtime.heartbeat (setuptools maps it at install time).
from agents.runtime.heartbeat import *
