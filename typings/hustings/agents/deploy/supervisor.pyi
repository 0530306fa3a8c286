# Type checkers read agents/deploy/supervisor.py as hustings.agents.deploy.supervisor (setuptools maps it at install time).
from agents.deploy.supervisor import *
