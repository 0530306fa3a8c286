# Type checkers read bus/ as moot.bus (setuptools maps it at install time).
from bus import *
