"""Shows people a run: an event as a line of text, an edit as a diff, a run as a diagram; html/ has the page.
It may import agents/history and everything before it; it gives text back and writes nothing.
"""

__all__: list[str] = []
