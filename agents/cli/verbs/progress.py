"""Progress: a live panel in a terminal, plain lines elsewhere; always on stderr."""

import math
import sys
import time
from collections import Counter
from collections.abc import AsyncIterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from hustings.protocols import (
    Assigned,
    AttemptAbandoned,
    Concluded,
    DeadLetter,
    Entry,
    Failure,
    Heartbeat,
    Opened,
    Progress,
    Result,
    Settled,
)

from ...decider.state import RunState, StepState
from ...observe.sanitize import inert
from ...team import Team
from ...views.retries import told
from ...views.text import plain
from ..frame.output import say
from ..frame.settings import Settings

TAIL = 60  # characters shown of a model's text
MANY = 20  # tasks of a step, from which on they are counted instead of named
NAMED = 10  # failures named of such a step
PAUSE = 1.0  # seconds between two lines about it

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live


class Watcher(Protocol):
    """Shows a run while it goes on."""

    def note(self, text: str) -> None: ...

    def entry(self, state: RunState, entry: Entry) -> None: ...

    async def listen(self, live: AsyncIterable[Heartbeat | Progress]) -> None: ...


@contextmanager
def watcher(settings: Settings, team: Team) -> Iterator[Watcher]:
    """The watcher that fits stderr; a panel stays on the screen when it ends."""
    if settings.output != "text" or not sys.stderr.isatty():
        yield Lines()
        return
    from rich.console import Console
    from rich.live import Live

    panel = Panel(team)
    console = Console(stderr=True, no_color=not settings.colored(sys.stderr))
    with Live(panel.picture(), console=console, refresh_per_second=8, get_renderable=panel.picture) as live:
        panel.live = live
        yield panel


class Lines:
    """One line for each event, without assignments and progress. Of a step with many tasks one line a second."""

    def __init__(self) -> None:
        self._counts = _Counts()

    def note(self, text: str) -> None:
        say(text)

    def entry(self, state: RunState, entry: Entry) -> None:
        for text in self._counts.lines(state, entry):
            say(f"{entry.time - state.asked_at:6.1f} s  {text}")

    async def listen(self, live: AsyncIterable[Heartbeat | Progress]) -> None:
        async for _ in live:
            pass


class _Counts:
    """What is said of each step with many tasks: how far it is, at most once a second, and its first failures."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}
        self._named = Counter[str]()

    def lines(self, state: RunState, entry: Entry) -> Iterator[str]:
        step = _step_of(state, entry)
        if step is None or step.total < MANY:
            if not isinstance(entry.event, Assigned | DeadLetter):
                yield _briefly(entry, state)
        elif isinstance(entry.event, Failure | AttemptAbandoned):
            yield from self._failure(step.step.id, told(entry, state))
        if step and step.total >= MANY and step.closed:
            yield from self._count(step, entry.time)

    def _failure(self, step: str, text: str) -> Iterator[str]:
        self._named[step] += 1
        if self._named[step] <= NAMED:
            yield text
        elif self._named[step] == NAMED + 1:
            yield f"{step}: further failures are counted; `hustings dead ls` names them"

    def _count(self, step: StepState, now: float) -> Iterator[str]:
        name, last = step.step.id, self._told.get(step.step.id, -math.inf)
        ended = step.closed == step.total
        if last < math.inf and (ended or now - last >= PAUSE):
            self._told[name] = math.inf if ended else now
            failed = step.closed - len(step.outputs)
            more = f", {failed:,} failed" if failed else ""
            yield f"{name}: {len(step.outputs):,} of {step.total:,} tasks done{more}"


def _step_of(state: RunState, entry: Entry) -> StepState | None:
    """The step that the entry is about; of what is asked for within a task the step of that task."""
    task = getattr(entry.event, "task", "") or getattr(entry.event, "child", "")
    while task in state.asks:
        task = state.asks[task].asker
    return state.steps.get(state.tasks[task].step) if task in state.tasks else None


class Panel:
    """A line for each specialist with its current and its last task, and the number of conflicts so far."""

    live: "Live | None" = None

    def __init__(self, team: Team) -> None:
        self._rows = {name: ["", "", ""] for name in team.members}  # state, current task, last result
        self._conflicts = self._settled = 0
        self._began = time.monotonic()
        self._took = 0.0
        self._ended = False

    def note(self, text: str) -> None:
        say(text)  # above the panel

    def entry(self, state: RunState, entry: Entry) -> None:
        match entry.event:
            case Assigned(agent=agent, task=task):
                self._set(agent, "●", task, None)
            case Result(agent=agent) | Failure(agent=agent):
                self._set(agent, "✓" if isinstance(entry.event, Result) else "✗", "", told(entry, state))
            case Opened(matters=matters):
                self._conflicts += sum(matter.contested for matter in matters)
            case Settled():
                self._settled = state.conflicts
            case Concluded():
                self._ended = True

    async def listen(self, live: AsyncIterable[Heartbeat | Progress]) -> None:
        async for said in live:
            if isinstance(said, Progress):
                share = "" if said.done is None else f" {said.done:.0%}"
                self._set(said.agent, "●", f"{_line(said)}{share}", None)

    def _set(self, agent: str, state: str, now: str, did: str | None) -> None:
        row = self._rows.setdefault(agent, ["", "", ""])
        row[0], row[1] = state, inert(now)
        if did is not None:
            row[2] = inert(did)

    def picture(self) -> "RenderableType":
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 1))
        for name, (state, now, did) in self._rows.items():
            colour = {"✓": "green", "✗": "red", "●": "yellow"}.get(state, "")
            table.add_row(
                Text(state or "·", colour), Text(name, "bold"), Text(now or did, overflow="ellipsis", no_wrap=True)
            )
        table.add_row("", Text("conflicts", "bold"), Text(f"{self._conflicts} found, {self._settled} settled"))
        if not self._ended:
            self._took = time.monotonic() - self._began
        table.add_row("", Text("time", "bold"), Text(f"{self._took:.0f} s"))
        return table


def _briefly(entry: Entry, state: RunState) -> str:
    """An entry in a line; of a run that failed not why: the error says it."""
    match entry.event:
        case Concluded(status=("failed" | "cancelled" | "undecided") as status):
            return f"concluded: {status}"
        case _:
            return told(entry, state)


def _line(said: Progress) -> str:
    """What the agent is doing; of a model's text the last words."""
    return plain(f"{said.says}: …{said.text[-TAIL:]}" if said.text else said.says)
