"""Plan graph: a plan as SVG, from left to right: each step in the column after the last step that it waits for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

from hustings.protocols import OUTCOME, Plan

from ...planning.barriers import waits
from ..text import some
from .tags import Html, number, tag

GOAL = " goal"  # no step has such an id: a step's id is a token
BOX, HEIGHT, COLUMN, PITCH, EDGE = 132, 42, 166, 56, 8
LETTERS = 17  # letters that fit into a box


@dataclass
class _Graph:
    """Which node waits for which. Barriers are nodes, and so are the bends (\\0...) of edges that pass a column."""

    before: dict[str, list[str]] = field(default_factory=dict)
    columns: dict[str, int] = field(default_factory=dict)
    rows: dict[str, float] = field(default_factory=dict)

    def layers(self) -> list[list[str]]:
        found: list[list[str]] = [[] for _ in range(max(self.columns.values()) + 1)]
        for node, column in self.columns.items():
            found[column].append(node)
        return found


def dag(plan: Plan, notes: Mapping[str, str]) -> Html:
    """The picture of a plan; `notes` has a second line for steps, barriers, GOAL and OUTCOME.

    The goal has edges to the steps that wait for nothing else. The same plan gives the same picture.
    """
    graph = _graph(plan)
    _arrange(graph)
    shown = [node for node in graph.before if not _bend(node)]
    height = (max(graph.rows.values()) + 1) * PITCH
    width = (max(graph.columns.values()) + 1) * COLUMN - (COLUMN - BOX) + 2 * EDGE
    edges = [_edge(graph, before, node) for node in graph.before for before in graph.before[node]]
    return tag(
        "svg", *edges, *(_node(graph, node, notes.get(node, "")) for node in shown), xmlns="http://www.w3.org/2000/svg",
        class_="dag", role="img", aria_label=f"The plan: {some(len(plan.steps), 'step')}",
        viewBox=f"0 0 {number(width)} {number(height)}", width=number(width),
    )  # fmt: skip


def _graph(plan: Plan) -> _Graph:
    graph = _Graph(before={GOAL: [], **{node: before or [GOAL] for node, before in waits(plan).items()}})
    for node in TopologicalSorter(graph.before).static_order():
        graph.columns[node] = max((graph.columns[before] + 1 for before in graph.before.get(node, ())), default=0)
    graph.columns[OUTCOME] = max(graph.columns.values()) + (graph.columns[OUTCOME] != max(graph.columns.values()))
    return graph


def _arrange(graph: _Graph) -> None:
    """Rows within the columns: every node is near the middle of what it waits for, with bends for passing edges."""
    for node, before in list(graph.before.items()):
        graph.before[node] = [_bent(graph, each, node) for each in before]
    layers = graph.layers()
    tallest = max(map(len, layers))
    for layer in layers:
        layer.sort(key=lambda node: (_middle(graph, node), node))
        first = (tallest - len(layer)) / 2
        for n, node in enumerate(layer):
            graph.rows[node] = first + n


def _bent(graph: _Graph, start: str, end: str) -> str:
    for column in range(graph.columns[start] + 1, graph.columns[end]):
        bend = f"\0{start}\0{end}\0{column}"
        graph.before[bend], graph.columns[bend] = [start], column
        start = bend
    return start


def _middle(graph: _Graph, node: str) -> float:
    rows = [graph.rows[before] for before in graph.before.get(node, ())]
    return sum(rows) / len(rows) if rows else 0.0


def _bend(node: str) -> bool:
    return node.startswith("\0")


def _edge(graph: _Graph, start: str, end: str) -> Html:
    x, y = _corner(graph, start)
    left, down = _corner(graph, end)
    x, y, down = x + BOX, y + HEIGHT / 2, down + HEIGHT / 2
    bow = (left - x) / 2
    curve = " ".join(map(number, (bow, 0, bow, down - y, left - x, down - y)))
    across = f"h{BOX}" if _bend(end) else ""
    return tag("path", d=f"M{number(x)} {number(y)}c{curve}{across}", class_="edge")


def _corner(graph: _Graph, node: str) -> tuple[float, float]:
    return EDGE + graph.columns[node] * COLUMN, graph.rows[node] * PITCH + (PITCH - HEIGHT) / 2


def _node(graph: _Graph, node: str, note: str) -> Html:
    x, y = _corner(graph, node)
    is_barrier = "." in node
    kind = "ends" if node in (GOAL, OUTCOME) else "barrier" if is_barrier else "step"
    title = tag("title", f"barrier before {node.strip()}" if is_barrier else node.strip())
    box = tag(
        "rect", title, x=number(x), y=number(y), width=BOX, height=HEIGHT, rx=21 if is_barrier else 6, class_=kind
    )
    middle = number(x + BOX / 2)
    head = tag(
        "text",
        _cut("barrier" if is_barrier else node.strip()),
        x=middle,
        y=number(y + (18 if note else 25)),
        class_="head",
    )
    below = [tag("text", _cut(note, 22), x=middle, y=number(y + 33), class_="note")] if note else []
    return tag("g", box, head, *below)


def _cut(text: str, room: int = LETTERS) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"
