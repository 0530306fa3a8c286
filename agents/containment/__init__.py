"""Runs tools, and code of strangers, within limits and walls. Imports nothing of ours."""

__all__: list[str] = []
