"""Ready-made specialists: who plans and who judges by asking a model.

They are specialists like any other, so a team may have its own in their place.
"""

__all__: list[str] = []
