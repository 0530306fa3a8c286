"""The pure heart: fold the log of a run into its state (folding, fold_*), and decide what to append next (decision).

fold_tasks folds assignments, completions, invalid messages, and failures: after the last attempt a task is given up.
fold_retries says whether and when another attempt follows.
decision hands one Turn to its parts, in this order: timeouts: attempts that are abandoned; dead_letters: the letters
of tasks that were given up; inquiries: questions of barriers, planners and agents; plan: the plan; assign: who gets a
task; barriers: what opens and settles; conclusion: how a run ends. allocation and spending: the budget; policy: what
a team lays down (retries, timeouts, the order of arbiters). It may import protocols, planning and arbitration; it
does no I/O.
"""

__all__: list[str] = []
