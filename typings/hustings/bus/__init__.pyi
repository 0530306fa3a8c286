# Type checkers read bus/ as hustings.bus (setuptools maps it at install time).
from bus import *
