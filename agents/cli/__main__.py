"""`python -m moot.agents.cli` is `moot`."""

from .app import main

main()
