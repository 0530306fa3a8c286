"""CPU of one task for all that is done to its bytes: assigned, read, executed, checked, written, read again.

    python benchmarks/encoding.py [--rounds 15] [FOLDER ...]

Each FOLDER is a checkout (default: this one). They take turns, each round in a process of its own, so that a machine
that gets slower slows all of them. The skill returns what it gets; there is no broker.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent.parent
PARTS = ("agents", "bus", "examples", "protocols", "hustings/__init__.py")
SIZES = {"1 proposal": 1, "20 proposals": 20, "200 proposals": 200}
TASK = """
import hashlib, sys, time
from typing import cast
import anyio
from hustings import Edit, Proposal, Specialist, Testimony
from hustings.agents.skills.attempt import Attempts
from hustings.bus import Bus
from hustings.protocols import Assigned, open_envelope
from hustings.protocols.envelope import seal

echo = Specialist("echo", "returns what it gets")

@echo.skill
async def again(said: Testimony) -> Testimony:
    return said

def passed(event):
    return open_envelope(seal(event, source="x", run="r").encode()).data

def edit(n):
    base = hashlib.sha256(b"%d" % n).hexdigest()
    return Edit(resource=f"src/module_{n}.py", base=base, start=n, end=n + 1, was="import os\\n", text="")

async def main(proposals, tasks):
    attempts = Attempts(echo, cast(Bus, None))
    said = Testimony(proposals=tuple(Proposal(edits=(edit(n),), because="F401") for n in range(proposals))).plain()
    begun = 0.0
    for number in range(tasks + 3):
        if number == 3:
            begun = time.process_time()
        task = Assigned(task="t", step="s", agent="echo", attempt=1, skill="again", input={"said": said}, deadline=9e9)
        said = passed(await attempts.attempt("r", passed(task))).output
    print((time.process_time() - begun) / tasks * 1e6)

anyio.run(main, int(sys.argv[1]), int(sys.argv[2]))
"""


def once(tree: str, proposals: int) -> float:
    """Microseconds of CPU for a task, in a fresh process."""
    tasks = max(10, 1000 // proposals)
    argv = [sys.executable, "-c", TASK, str(proposals), str(tasks)]
    done = subprocess.run(argv, cwd=tree, env={**os.environ, "PYTHONPATH": tree}, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return float(done.stdout)


def linked(folder: Path, into: str) -> str:
    """A folder to import the checkout's `hustings` from."""
    package = Path(into) / "hustings"
    package.mkdir()
    for part in PARTS:
        (package / Path(part).name).symlink_to(folder.resolve() / part)
    return into


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("folders", nargs="*", type=Path, default=[HERE])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as room:
        trees = [linked(folder, tempfile.mkdtemp(dir=room)) for folder in asked.folders]
        for words, size in SIZES.items():
            rounds = [[once(tree, size) for tree in trees] for _ in range(asked.rounds)]
            for folder, took in zip(asked.folders, zip(*rounds, strict=True), strict=True):
                name, middle = folder.resolve().name, statistics.median(took)
                print(f"{words:<14} {name:<10} {middle:9.0f} us CPU a task ({min(took):.0f} to {max(took):.0f})")


if __name__ == "__main__":
    main()
