"""The client: asks a team for runs, follows them, reads what came out, redrives dead letters.

It may import protocols, bus and history, and no process of the team.
"""

__all__: list[str] = []
