"""`hustings dead ls | show | redrive | discard`: the tasks that failed for good, and what to do with them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from time import time
from typing import Any

import click

from hustings.protocols import UsageError

from ...history.dead_letters import DeadLetterDetail, DeadLetterEntry, FailedAttempt
from ...observe.sanitize import inert
from ...views.text import ago, plain, some
from ..frame.options import common
from ..frame.output import echo, emit
from ..frame.session import go
from ..frame.settings import Settings
from ..frame.table import table
from .letters import (
    Selection,
    filters,
    named,
    reading,
    still_dead,
)
from .redrive import Terms, redriven, told
from .show import shortened

LEFT = 5  # the exit code if dead letters remain


@click.group()
def dead() -> None:
    """Look at dead letters, the tasks that failed for good; redrive or discard them.

    The id of a dead letter is RUN.TASK, or the beginning of it.
    """


@dead.command()
@filters
@click.option("--all", "everything", is_flag=True, help="Also those already redriven or discarded.")
@common
def ls(settings: Settings, /, everything: bool, **fits: Any) -> int:
    """List dead letters. Exit code 5 if any remain, else 0."""
    letters = go(_ls, settings, Selection(**fits), everything)
    now = time()
    emit(settings, [letter.plain() for letter in letters], lambda _: _listed(letters, everything, now))
    return LEFT if any(letter.status == "dead" for letter in letters) else 0


async def _ls(settings: Settings, wanted: Selection, everything: bool) -> list[DeadLetterEntry]:
    async with reading(settings, wanted) as there:
        letters = [letter for letter in there.fits if everything or letter.status == "dead"]
    return sorted(letters, key=lambda letter: (letter.team, letter.agent, letter.cause, letter.time))


def _listed(letters: Sequence[DeadLetterEntry], everything: bool, now: float) -> str:
    heads = ["id", "agent", "cause", "attempts", "version", "when", *(["status"] if everything else []), "because"]
    rows = [[*_cells(letter, now), *([_status(letter)] if everything else []), letter.because] for letter in letters]
    return table(heads, rows) or "no dead letters"


def _cells(letter: DeadLetterEntry, now: float) -> list[object]:
    return [
        letter.id, letter.agent, letter.cause, letter.attempts, letter.version or "-", _ago(letter, now)
    ]  # fmt: skip


def _ago(said: DeadLetterEntry | FailedAttempt, now: float) -> str:
    return ago(now - datetime.fromisoformat(said.time).timestamp())


def _status(letter: DeadLetterEntry) -> str:
    by, because = letter.redriven_by or letter.discarded_by, letter.discarded_because
    return " ".join([letter.status, *([f"by {by}"] if by else []), *([f"({because})"] if because else [])])


@dead.command()
@click.argument("id")
@click.option("--team", help="The team of the run, if the id fits dead letters of several teams.")
@click.option("--raw", is_flag=True, help="Only the last message sent for the task, as raw bytes from the log.")
@common
def show(settings: Settings, id: str, team: str | None, raw: bool) -> None:
    """Show everything about one dead letter.

    Its attempts, its input, and the last message that was sent for it.
    """
    autopsy = go(_show, settings, id, Selection(team=team))
    if raw:
        echo(autopsy.original, nl=False)
        return
    data = {**autopsy.letter.plain(), **autopsy.plain()}
    del data["letter"]
    emit(settings, data, lambda _: _shown(autopsy, time()))


async def _show(settings: Settings, id: str, wanted: Selection) -> DeadLetterDetail:
    async with reading(settings, wanted) as there:
        letter = named(id, there.letters)
        return await there.clients[letter.team].autopsy(letter)


def _shown(autopsy: DeadLetterDetail, now: float) -> str:
    letter = autopsy.letter
    head = {
        "letter": f"{letter.id} of team {letter.team}: {_status(letter)}",
        "task": f"{letter.skill}, sent to {letter.agent} {letter.version}",
        "cause": f"{letter.cause} after {some(letter.attempts, 'attempt')}, {_ago(letter, now)}",
        "because": letter.because,
        **({"at": letter.at} if letter.at else {}),
    }
    tries = [
        (each.attempt, each.agent, each.version or "-", each.cause, _ago(each, now), each.because)
        for each in autopsy.failures
    ]
    parts = [
        "\n".join(f"{name:<8} {plain(says)}" for name, says in head.items()),
        table(("attempt", "agent", "version", "cause", "when", "because"), tries),
        *_tracebacks(autopsy),
        f"input\n{shortened(autopsy.input)}",
        f"message {letter.assigned} of the log: hustings dead show {letter.id} --raw",
    ]
    return "\n\n".join(part for part in parts if part)


def _tracebacks(autopsy: DeadLetterDetail) -> Iterator[str]:
    """The traceback of each attempt; where several have the same one it is shown once."""
    attempts: dict[str, list[str]] = {}
    for each in autopsy.failures:
        attempts.setdefault(each.traceback, []).append(str(each.attempt))
    for trace, numbers in attempts.items():
        if trace:
            shown = "\n".join(f"  {line}" for line in inert(trace).splitlines())
            yield f"traceback of attempt {', '.join(numbers)}\n{shown}"


@dead.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@filters
@click.option("--all", "everything", is_flag=True, help="All dead letters.")
@click.option("--newer", is_flag=True, help="Only those whose agent now runs in a newer version.")
@click.option("--same-version", is_flag=True, help="The agent's code has changed, though its version has not.")
@click.option("--force", is_flag=True, help="Even if the agent's version is unchanged, or the agent is not running.")
@click.option("--wait/--no-wait", default=True, help="Wait until the new runs have ended.  [default: wait]")
@click.option(
    "--execution-timeout", type=click.FloatRange(min=0, min_open=True), help="End the new runs after so many seconds."
)
@common
def redrive(
    settings: Settings,
    /,
    ids: tuple[str, ...],
    everything: bool,
    newer: bool,
    same_version: bool,
    force: bool,
    wait: bool,
    execution_timeout: float | None,
    **fits: Any,
) -> int:
    """Run dead letters once more.

    The tasks of each run go into a new run, to the same agents, with fresh attempts and keys. The team has to be up.
    The command refuses if an agent still has the version that failed, unless --same-version or --force is given. If you
    interrupt it, the new runs go on. Exit code 0: all tasks are done; 5: some failed again, or were not done.
    """
    wanted = Selection(ids=ids, all=everything, **fits)
    wanted.check()
    terms = Terms(newer, same_version, force, wait, execution_timeout)
    rows = go(redriven, settings, wanted, terms)
    emit(settings, rows, told)
    return LEFT if any(row["status"] == "dead" for row in rows) else 0


@dead.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@filters
@click.option("--all", "everything", is_flag=True, help="All dead letters.")
@click.option("--because", default="", metavar="TEXT", help="The reason; it is written to the log.")
@click.option("--yes", is_flag=True, help="Needed unless the dead letters are named by id.")
@common
def discard(
    settings: Settings, /, ids: tuple[str, ...], everything: bool, because: str, yes: bool, **fits: Any
) -> None:
    """Mark dead letters as closed, with nothing more to do. They stay on the log: `hustings dead ls --all`."""
    wanted = Selection(ids=ids, all=everything, **fits)
    wanted.check()
    rows = go(_discard, settings, wanted, because, yes)
    emit(settings, rows, lambda rows: "\n".join(f"{plain(row['id'])} discarded" for row in rows) or "no dead letters")


async def _discard(settings: Settings, wanted: Selection, because: str, yes: bool) -> list[dict[str, str]]:
    async with reading(settings, wanted) as there:
        letters = still_dead(wanted, there)
        if letters and not wanted.ids and not yes:
            why = f"it would discard {some(len(letters), 'dead letter')}, the first is {letters[0].id}"
            raise UsageError("nothing was discarded", why, "Add --yes.")
        for letter in letters:
            await there.clients[letter.team].discard(letter, because)
    return [{"id": letter.id, "status": "discarded", "discarded_because": because} for letter in letters]
