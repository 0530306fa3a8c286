# Type checkers read agents/models/fake.py as moot.agents.models.fake (setuptools maps it at install time).
from agents.models.fake import *
