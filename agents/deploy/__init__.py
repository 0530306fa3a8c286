"""Starts the parts of a team as processes, restarts those that end, and stops them in order.
It may import everything up to agents/testing.py, but not the command line.
"""

__all__: list[str] = []
