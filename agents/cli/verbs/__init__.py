"""One file for each verb: it reads what was typed, lets the other packages do the work, and prints what came out.
It may import the frame and everything else of agents; a verb is imported only when somebody calls it.
"""

__all__: list[str] = []
