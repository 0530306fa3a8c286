"""Progress: a live panel in a terminal, plain lines elsewhere; always on stderr."""

import sys
import time
from collections.abc import AsyncIterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from hustings.protocols import (
    Assigned,
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

from ...decider.state import RunState
from ...observe.sanitize import inert
from ...team import Team
from ...views.retries import told
from ...views.text import plain
from ..frame.output import say
from ..frame.settings import Settings

TAIL = 60  # characters shown of a model's text

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
    """One line for each event, without assignments and progress."""

    def note(self, text: str) -> None:
        say(text)

    def entry(self, state: RunState, entry: Entry) -> None:
        if not isinstance(entry.event, Assigned | DeadLetter):
            say(f"{entry.time - state.asked_at:6.1f} s  {_briefly(entry, state)}")

    async def listen(self, live: AsyncIterable[Heartbeat | Progress]) -> None:
        async for _ in live:
            pass


class Panel:
    """A line for each specialist with its current and its last task, and the number of conflicts so far."""

    live: "Live | None" = None

    def __init__(self, team: Team) -> None:
        self._rows = {name: ["", "", ""] for name in team.members}  # state, current task, last result
        self._conflicts = self._settled = 0
        self._notes: list[str] = []
        self._began = time.monotonic()
        self._took = 0.0
        self._ended = False

    def note(self, text: str) -> None:
        self._notes = [*self._notes[-2:], inert(text)]

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
                self.note(_briefly(entry, state))
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
        for note in self._notes:
            table.add_row("", "", Text(note, "dim"))
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
