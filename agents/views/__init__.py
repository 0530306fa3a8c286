"""Shows runs to people: events as text, verdicts as text, edits as a diff, plans as a diagram, and html/.
It may import agents/history and everything before it; it returns text and writes nothing.
"""

__all__: list[str] = []
