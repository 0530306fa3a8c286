# Type checkers read agents/deploy/launch.py as hustings.agents.deploy.launch (setuptools maps it at install time).
from agents.deploy.launch import *
