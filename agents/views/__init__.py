"""Shows runs to people: an event as a line of text, an edit as a diff, a run as a diagram; html/ makes the page.
It may import agents/history and everything before it; it returns text and writes nothing.
"""

__all__: list[str] = []
