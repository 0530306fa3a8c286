"""The long-running loops: the coordinator drives runs, the worker does tasks; both know which agents are present.
It may import everything up to agents/team.py, but not deploy (supervision), views or cli (people).
"""

__all__: list[str] = []
