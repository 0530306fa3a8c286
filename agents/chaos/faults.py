"""Faults: a schedule of faults with victims and times, by a seed; quiet and busy periods alternate."""

from dataclasses import dataclass
from random import Random
from typing import Literal

Kind = Literal["kill", "pause", "term"]
Victim = Literal["specialist", "coordinator", "broker"]

VICTIMS: dict[Victim, int] = {"specialist": 4, "coordinator": 3, "broker": 3}  # how often, of ten
KINDS: dict[Kind, int] = {"kill": 6, "pause": 3, "term": 1}
PAUSE = (0.5, 6.0)  # seconds for which a process is suspended
QUIET, BUSY = 1.75, 0.25  # of the usual time between two faults
SPELL = 5  # faults in a quiet or a busy period


@dataclass(frozen=True)
class Fault:
    """`at` so many seconds after the start: kill (-9), terminate, or suspend for `seconds`.

    `which` picks one of the running victims, whatever their number.
    """

    at: float
    kind: Kind
    victim: Victim
    which: float
    seconds: float = 0.0


def schedule(seed: int, count: int, duration: float) -> list[Fault]:
    """So many faults within so many seconds; the same seed gives the same schedule."""
    chance = Random(seed)  # noqa: S311 - it only has to repeat for the same seed
    gaps = [chance.expovariate(1.0) * (BUSY if number // SPELL % 2 else QUIET) for number in range(count)]
    pace, now, faults = duration / (sum(gaps) or 1.0), 0.0, []
    for gap in gaps:
        now += gap * pace
        kind = chance.choices([*KINDS], weights=[*KINDS.values()])[0]
        victim = chance.choices([*VICTIMS], weights=[*VICTIMS.values()])[0]
        asleep = round(chance.uniform(*PAUSE), 2) if kind == "pause" else 0.0
        faults.append(Fault(round(now, 2), kind, victim, chance.random(), asleep))
    return faults
