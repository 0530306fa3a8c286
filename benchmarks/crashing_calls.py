"""kill -9 of a model specialist at each call of a task of ten, in each of three moments: how many requests are made.

    python -m benchmarks.crashing_calls

During the call, after the model has answered, and after the answer is on the log.
"""

import tempfile
from pathlib import Path

import anyio

from tests.scenarios.test_crashing_callers import CALLS, WHENS, errand


async def main() -> None:
    print(f"a task of {CALLS} calls; killed at call")
    for when in WHENS:
        counts = []
        for number in range(1, CALLS + 1):
            with tempfile.TemporaryDirectory() as folder:
                asked, crashes = await errand(Path(folder) / "run", number, when)
            assert crashes.restarts, "nobody was killed"
            counts.append(len(asked))
        print(f"  {when:<12} requests {counts}  at most {max(counts) - CALLS} more")


if __name__ == "__main__":
    anyio.run(main)
