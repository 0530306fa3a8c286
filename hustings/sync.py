"""`hustings.connect` for scripts and notebooks: the same names and types, without await."""

from hustings.agents.client.sync import Client, Run, connect

__all__ = ["Client", "Run", "connect"]
