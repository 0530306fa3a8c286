"""Teams that do real work."""

__all__: list[str] = []
