"""`python -m tests.simulation SEED [BUG]`: one seed, what went wrong in it, its log, and what is amiss."""

import sys
from contextlib import nullcontext

from .checks import violations
from .planted import planted
from .world import simulate


def main(seed: str, bug: str = "") -> int:
    with planted(bug) if bug else nullcontext():
        history = simulate(int(seed))
        amiss = violations(history)
    print(f"seed {seed}: team {history.team.outcome.__name__}, asked {history.asked}")
    print("\n".join(history.faults))
    for run in history.by_run:
        for each in history.entries(run):
            what = type(each.event).__name__
            by = each.envelope.source if each.envelope else ""
            where = ".".join((each.subject.kind, *each.subject.rest))
            print(f"{each.seq:4} {each.time % 1000:8.3f} {run} {by:12} {what:10} {where}")
    print("\n".join(amiss) or "nothing is amiss")
    return 1 if amiss else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
