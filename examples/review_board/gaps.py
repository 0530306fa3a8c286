"""Gap: what a proof does not claim, counted and named with its reason."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple, get_args

from .messages import Gap, GapKind

ERROR = re.compile(r"[\w.]*(Error|Exception|Warning|Exit|Interrupt)\b")
COMPLAINT = re.compile(r"(.*\berror|ERROR): ")
KINDS: tuple[GapKind, ...] = get_args(GapKind)
MOST_REASONS = 20  # of a kind, kept apart
MOST_NAMED = 1000  # names in all: a proof is one message
MOST_TOLD = 3  # reasons of a kind that are told in a line
LONGEST = 200  # characters of a reason, or of a name


class Missing(NamedTuple):
    """One name of which nothing is claimed, and why."""

    kind: GapKind
    why: str
    name: str


def reason(text: str) -> str:
    """The line of a failure's report that names the error, else its last."""
    lines = _lines(text)
    named = [line for line in lines if ERROR.match(line)]
    return [*lines, *named][-1][:LONGEST] if lines else "no reason given"


def said(text: str) -> str:
    """The first and the last line of what a process printed that name an error, else the last line."""
    lines = _lines(text)
    named = [line for line in lines if ERROR.match(line) or COMPLAINT.match(line)] or lines[-1:]
    return " ".join(dict.fromkeys([*named[:1], *named[-1:]]))[: 2 * LONGEST]


def gathered(missing: Iterable[Missing]) -> tuple[Gap, ...]:
    """A Gap for each kind and reason, the largest of a kind first."""
    names: dict[tuple[GapKind, str], list[str]] = defaultdict(list)
    for kind, why, name in missing:
        names[kind, why].append(name)
    left = MOST_NAMED
    gaps: list[Gap] = []
    for kind, why, found in _fewer(names):
        named = tuple(name[:LONGEST] for name in sorted(found)[:left])
        left -= len(named)
        gaps.append(Gap(kind=kind, why=why, count=len(found), names=named))
    return tuple(gaps)


def counted(number: int, word: str) -> str:
    """A number of things: "1 test", "2 tests"."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def told(gaps: Sequence[Gap]) -> str:
    """The gaps in one line: "203 could not run: No module named 'x' (203)"; empty if there are none."""
    return "; ".join(_of_a_kind(kind, list(some)) for kind, some in groupby(gaps, key=lambda gap: gap.kind))


def _of_a_kind(kind: str, gaps: Sequence[Gap]) -> str:
    reasons = [f"{gap.why} ({gap.count})" for gap in gaps[:MOST_TOLD]]
    total, rest = sum(gap.count for gap in gaps), sum(gap.count for gap in gaps[MOST_TOLD:])
    number = counted(total, "module") if kind == "cannot be imported" else total  # all others are tests
    return f"{number} {kind}: " + ", ".join([*reasons, *([f"others ({rest})"] if rest else [])])


def _fewer(names: dict[tuple[GapKind, str], list[str]]) -> Iterable[tuple[GapKind, str, list[str]]]:
    for kind in KINDS:
        found = [(why, some) for (of, why), some in names.items() if of == kind]
        found.sort(key=lambda pair: (-len(pair[1]), pair[0]))
        for why, some in found[:MOST_REASONS]:
            yield kind, why, some
        if rest := [name for _, some in found[MOST_REASONS:] for name in some]:
            yield kind, "for other reasons", rest


def _lines(text: str) -> list[str]:
    lines = [line.removeprefix("E ").strip() for line in text.strip().splitlines()]
    return [line for line in lines if line]
