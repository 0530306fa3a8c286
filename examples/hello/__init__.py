"""The smallest team."""

__all__: list[str] = []
