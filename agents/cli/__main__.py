"""`python -m hustings.agents.cli` is `hustings`."""

from .app import main

main()
