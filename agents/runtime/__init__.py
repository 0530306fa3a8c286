"""The loops that run for long: the coordinator drives runs, a worker does tasks, both know who is present.
It may import everything up to agents/team.py; it knows nothing of supervision (deploy) and of people (views, cli).
"""

__all__: list[str] = []
