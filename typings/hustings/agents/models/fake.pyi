# Type checkers read agents/models/fake.py as hustings.agents.models.fake (setuptools maps it at install time).
from agents.models.fake import *
