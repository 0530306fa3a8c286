"""Retention: which of the ended runs are to go. Each limit lets those go that ended first. Pure.

`ended` has the moment at which each run ended.
"""

from collections.abc import Mapping


def expired(ended: Mapping[str, float], now: float, *, older: float | None = None, keep: int | None = None) -> set[str]:
    """The runs that ended more than `older` seconds ago, and all but the last `keep`. None is no limit."""
    runs = _in_order(ended)
    beyond = 0 if keep is None else max(len(runs) - keep, 0)
    return {*runs[:beyond], *(run for run in runs if older is not None and ended[run] < now - older)}


def making_room(ended: Mapping[str, float], sizes: Mapping[str, int], wanted: float) -> set[str]:
    """As few runs as together have `wanted` bytes; all, if they have less."""
    found: set[str] = set()
    for run in _in_order(ended):
        if wanted <= 0:
            break
        found.add(run)
        wanted -= sizes.get(run, 0)
    return found


def _in_order(ended: Mapping[str, float]) -> list[str]:
    return sorted(ended, key=lambda run: (ended[run], run))
