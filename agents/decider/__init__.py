"""The pure heart: fold the log of a run into its state (folding, fold_*), and decide what to append next (decision).

timeouts: attempts that are abandoned; dead_letters: tasks that are given up; assign: who gets a task; inquiries:
questions of barriers, planners and agents; allocation and spending: the budget; policy: what a team lays down. It may
import protocols, planning and arbitration; it does no I/O.
"""

__all__: list[str] = []
