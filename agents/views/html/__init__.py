"""Shows a run as one HTML page, without network and scripts: summary, conflicts, Gantt chart, plan graph.
It may import agents/views and everything before it; it returns text and writes nothing.
"""

__all__: list[str] = []
