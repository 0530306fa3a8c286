"""The long-running loops: the coordinator drives runs, the worker does tasks; registry knows which agents are present.

heartbeat says that a process is there, takeover finds runs whose coordinator is silent, isolation gives a task that
may have killed its process one of its own, invalid_messages counts what does not belong in a work queue.
It may import everything up to agents/team.py, but not deploy (supervision), views or cli (people).
"""

__all__: list[str] = []
