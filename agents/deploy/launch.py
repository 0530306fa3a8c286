"""Launch: run a team's parts as processes under a supervisor, and show their logs to people."""

import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

import anyio

from hustings.bus import Live, background, make_home
from hustings.protocols import COORDINATOR, HustingsError, UsageError

from ..observe.logs import level_of, render_line, shows
from ..observe.sanitize import masked
from ..runtime.process import ending
from ..team import Team
from .neighbours import announced
from .records import record_of, write_record
from .replicas import READY, Parts, part_of
from .supervisor import MISUSED, Child, Spawn, Status, Supervisor, spawn

USEFUL = (
    '"event": "done"',
    '"event": "failed"',
    '"event": "recycled"',
)  # log events of an agent that has done useful work


def children(
    target: str,
    team: Team,
    url: str,
    *,
    parts: Sequence[str],
    replicas: Mapping[str, int] | None = None,
    env: Mapping[str, str] | None = None,
) -> list[Child | Sequence[Child]]:
    """The processes for these parts of a team: the coordinators first, then all specialists together."""
    made = Parts(target, team, url, env)

    def replicated(name: str) -> list[Child]:
        numbers = range(1, (replicas or {}).get(name, 1) + 1) if name in parts else ()
        return [made.replica(name, number) for number in numbers]

    return [replicated(COORDINATOR), [child for name in team.members for child in replicated(name)]]


async def absentees(live: Live, team: Team) -> list[str]:
    """The parts of a team, including the coordinator, of which no process answers now."""
    there = {present.name for present in await live.roll_call()}
    return [name for name in (COORDINATOR, *team.members) if name not in there]


@asynccontextmanager
async def supervised(
    home: Path,
    team: Team,
    url: str,
    processes: Sequence[Child | Sequence[Child]],
    *,
    tell: Callable[[str], None],
    color: bool,
    verbose: bool = False,
    log: str = "",
    announce: bool = False,
    whole: bool = False,
    known: Sequence[str] = (),
    spawn: Spawn = spawn,
) -> AsyncIterator[Supervisor]:
    """Keep the processes running while the block runs; then stop them, the coordinator last.

    A record of them and their log are kept under `home`. `tell` gets what a person should know, safe to print: which
    processes are given up, and their output, with colours if `color`: what has the level that `log` gives its agent
    (`clerk=debug,warning`), without one all of it if `verbose`, else warnings and errors; but nothing with one of the
    texts in `known`. `spawn` starts a process.
    Raises HustingsError into the block when the last of its coordinators is given up: no run could go on; and
    UsageError, if the team is wanted `whole`, when a part cannot start: it says why.
    """
    record = record_of(home, team.name)
    listener = _Listener(make_home(home) / "logs", team, tell=tell, color=color, verbose=verbose, log=log, known=known)
    lost = anyio.Event()

    def heard(name: str, raw: str) -> None:
        listener.line(name, raw)
        if any(event in raw for event in USEFUL):
            supervisor.forgive(name)

    def changed(statuses: Sequence[Status]) -> None:
        write_record(record, team.name, url, statuses)
        listener.note(statuses)
        if _hopeless(statuses, whole=whole):
            lost.set()

    async def watch() -> None:
        await lost.wait()
        raise listener.reason(supervisor.statuses, whole=whole)

    supervisor = Supervisor(processes, on_change=changed, on_line=heard, ready=lambda line: READY in line, spawn=spawn)
    try:
        async with _running(supervisor):
            with announced(home) if announce else nullcontext():
                async with background(watch):  # inside, so that the block ends before the processes do
                    yield supervisor
    finally:
        record.unlink(missing_ok=True)
        listener.close()


@asynccontextmanager
async def _running(supervisor: Supervisor) -> AsyncIterator[None]:
    """Its processes run while the block does."""
    started = anyio.Event()

    async def run() -> None:
        async with anyio.create_task_group() as group:
            await group.start(supervisor.run)
            started.set()

    async with background(run):
        await started.wait()
        yield


def _hopeless(statuses: Sequence[Status], *, whole: bool) -> bool:
    """True if the last coordinator is given up, or, of a team that is wanted whole, a part that cannot start."""
    coordinators = {status.state for status in statuses if part_of(status.name) == COORDINATOR}
    return coordinators == {"gave up"} or (whole and bool(_misused(statuses)))


def _misused(statuses: Sequence[Status]) -> list[str]:
    """The children that cannot start, because of what they were given."""
    return [status.name for status in statuses if (status.state, status.exit_code) == ("gave up", MISUSED)]


class _Listener:
    """Passes on the output of children: all of it to a log file, and to a person what matters."""

    def __init__(
        self,
        folder: Path,
        team: Team,
        *,
        tell: Callable[[str], None],
        color: bool,
        verbose: bool,
        log: str,
        known: Sequence[str],
    ) -> None:
        self._tell, self._color, self._levels, self._known = tell, color, log, known
        self._team = team.name
        self._usual = "info" if verbose else "warning"
        self._width = max(len(name) for name in (COORDINATOR, *team.members))
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / f"{team.name}.log").open("a", buffering=1)  # by line, for who follows it
        self._given_up: dict[str, str] = {}
        self._last: dict[str, str] = {}
        self._advice: dict[str, list[str]] = {}

    def line(self, name: str, raw: str) -> None:
        raw = raw if raw.startswith("{") else masked(raw)
        self._file.write(f"{name}\t{raw}\n")
        if raw.startswith(("  why: ", "  try: ")):
            self._advice.setdefault(name, []).append(raw.strip().partition(": ")[2])
        elif raw.strip():
            self._last[name] = raw.strip()
            self._advice.pop(name, None)
        if shows(raw, level_of(part_of(name), self._levels, self._usual)) and not any(w in raw for w in self._known):
            self._tell(render_line(name, raw, width=self._width, color=self._color))

    def note(self, statuses: Sequence[Status]) -> None:
        """Tell which of them are given up."""
        for status in statuses:
            if status.state == "gave up":
                self._gave_up(status)

    def reason(self, statuses: Sequence[Status], *, whole: bool) -> HustingsError:
        """Why no run can go on."""
        for name in _misused(statuses):
            if whole or part_of(name) == COORDINATOR:
                return UsageError(f"{name} cannot start: {self._what(name)}", *self._advice.get(name, [])[:2])
        why = f"{self._given_up[COORDINATOR]}; its last output: {self._last.get(COORDINATOR, 'none')}"
        return HustingsError(f"team {self._team} has no coordinator", why, "Fix the cause, and start again.")

    def _gave_up(self, status: Status) -> None:
        why = self._how(status)
        if why != self._given_up.get(status.name):
            self._given_up[status.name] = why
            self._tell(f"{why}: given up")

    def _how(self, status: Status) -> str:
        if status.exit_code == MISUSED:
            return f"{status.name} cannot start ({self._what(status.name)})"
        how = "" if status.exit_code is None else f", the last time with {ending(status.exit_code)}"
        return f"{status.name} ended {status.restarts + 1} times{how}"

    def _what(self, name: str) -> str:
        """Its last line of output that is not an advice."""
        return self._last.get(name, "it says nothing").removeprefix("error: ")

    def close(self) -> None:
        self._file.close()


async def until_told() -> int:
    """Wait for SIGINT or SIGTERM; gives the exit code for it."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for number in signals:
            return 130 if number == signal.SIGINT else 0
    return 0
