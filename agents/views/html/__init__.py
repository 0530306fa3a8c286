"""Shows people a run as one HTML page, without network and scripts: summary, conflicts, Gantt chart, plan graph.
It may import agents/views and everything before it; it gives text back and writes nothing.
"""

__all__: list[str] = []
