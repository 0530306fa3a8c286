"""One file for each verb: it reads the arguments, calls the other packages, and prints the result.
It may import the frame and everything else of agents; a verb's file is imported only when the verb is called.
"""

__all__: list[str] = []
