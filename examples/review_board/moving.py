"""Moving: lines that a tool removes in one place and adds in another. The halves of a move stand or fall together."""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from keyword import iskeyword

from hustings import Edit

from .edits import apply, split_lines
from .modules import bound
from .sources import Source, parse

Balance = Mapping[str, int]  # of a line or an imported name: how often it is added minus how often removed
WORD = re.compile(r"[^\W\d]\w*")


def lines(edits: Iterable[Edit]) -> Balance:
    """The balance of lines that contain a name, whatever their indentation: a bracket or an `else` is no move."""
    balance: Counter[str] = Counter()
    for edit in edits:
        balance.update(_naming(edit.text))
        balance.subtract(_naming(edit.was))
    return balance


def imports(source: Source, edits: Sequence[Edit]) -> list[Balance]:
    """The balance of imported names for each of these hunks: a move may split, join or wrap the statements."""
    try:
        before, after = _imported(source.tree), _imported(parse(apply(source.text, edits)))
    except SyntaxError:
        return [{} for _ in edits]
    shift = 0
    balances: list[Balance] = []
    for edit in edits:
        first, count = edit.start + shift, len(split_lines(edit.text))
        balance = Counter(_between(after, first, first + count))
        balance.subtract(_between(before, edit.start, edit.end))
        balances.append({f"import {name}": number for name, number in balance.items()})
        shift += count - (edit.end - edit.start)
    return balances


def moved(parts: Sequence[Balance]) -> list[list[int]]:
    """The places of the parts, grouped if one removes what another adds; in their order."""
    sharing: dict[str, list[int]] = defaultdict(list)
    for place, balance in enumerate(parts):
        for name, number in balance.items():
            if number:
                sharing[name].append(place)
    leader = list(range(len(parts)))
    for name, places in sharing.items():
        if len({parts[place][name] > 0 for place in places}) == 2:
            _unite(leader, places)
    together: dict[int, list[int]] = defaultdict(list)
    for place in range(len(parts)):
        together[_leader(leader, place)].append(place)
    return list(together.values())


def at_odds(changes: Sequence[Sequence[Edit]]) -> str:
    """A line that the changes double or lose only together: they remove it in one place and add it in several, or the
    reverse. Empty if there is none."""
    edits = {edit for some in changes for edit in some}  # pyright: ignore[reportUnhashable] - it is frozen by its config
    alone, together = [lines(some) for some in changes], lines(edits)
    for name, number in together.items():
        wanted = [balance.get(name, 0) for balance in alone]
        if number and not any(number * each > 0 for each in wanted):
            return name
    return ""


def _unite(leader: list[int], places: Sequence[int]) -> None:
    for place in places:
        one, other = sorted((_leader(leader, places[0]), _leader(leader, place)))
        leader[other] = one


def _leader(leader: list[int], place: int) -> int:
    while leader[place] != place:
        place = leader[place]
    return place


def _naming(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        if any(not iskeyword(word) for word in WORD.findall(line)):
            yield line.strip()


def _imported(tree: ast.Module) -> list[tuple[int, str]]:
    """Each imported name with its row, counted from 0."""
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom))
    return [(alias.lineno - 1, bound(alias)) for node in nodes for alias in node.names]


def _between(names: Iterable[tuple[int, str]], start: int, end: int) -> list[str]:
    return [name for row, name in names if start <= row < end]
