"""Real tools review a real package."""

__all__: list[str] = []
