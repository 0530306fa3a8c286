"""Redrive: run dead letters once more, and follow the result."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, NamedTuple

import anyio

from hustings.bus import background
from hustings.protocols import COORDINATOR, DeadLetter, NotFound, Result, UsageError, timing

from ...client.client import Client
from ...decider.folding import evolve
from ...decider.state import RunState
from ...history.dead_letters import DeadLetterEntry, Redrive, newer
from ...history.run_report import report
from ...views.text import some
from ..frame.output import say
from ..frame.session import parting, watch
from ..frame.settings import Settings
from ..frame.table import table
from .letters import Selection, reading, still_dead

Row = dict[str, Any]
Versions = dict[str, set[str]]


class Terms(NamedTuple):
    """The options of `redrive`; `execution_timeout` in seconds."""

    newer: bool = False
    same_version: bool = False
    force: bool = False
    wait: bool = True
    execution_timeout: float | None = None


async def redriven(settings: Settings, wanted: Selection, terms: Terms) -> list[Row]:
    """Redrive the wanted dead letters. Gives a row for each with its status: done, dead, or redriven without a wait.

    Raises NotFound: no coordinator is running; UsageError: an agent has not changed.
    """
    rows: list[Row] = []
    async with reading(settings, wanted, start="never") as there:
        letters = still_dead(wanted, there)
        teams = {team: [letter for letter in letters if letter.team == team] for team in there.clients}
        plans = [
            (there.clients[team], await _able(there.clients[team], each, terms)) for team, each in teams.items() if each
        ]
        for client, able in plans:
            async with background(partial(watch, client.bus.connection)):
                rows += await _redrive(client, able, terms)
    return rows


def told(rows: Sequence[Row]) -> str:
    """The rows for people."""
    cells = [(row["id"], row["redriven_by"], row["status"], row["because"]) for row in rows]
    return table(("id", "in run", "now", "because"), cells, shade=2) or "nothing to redrive"


# which agents are running


async def _able(client: Client, letters: list[DeadLetterEntry], terms: Terms) -> list[DeadLetterEntry]:
    """The dead letters worth a redrive. Raises UsageError, NotFound."""
    there = await _versions(client)
    if COORDINATOR not in there:
        raise NotFound(
            f"no coordinator of team {client.bus.team} is running",
            "so the tasks would not be done",
            "Start the team with `hustings up`.",
        )
    if terms.newer:
        able = [letter for letter in letters if _newer(letter, there)]
        if left := len(letters) - len(able):
            say(f"{some(left, 'dead letter')} left out: no newer version of the agent is running")
        return able
    if not terms.force and (reasons := dict.fromkeys(_reasons(letters, there, terms))):
        raise UsageError(
            "nothing was redriven: it would fail as before",
            "; ".join(reasons),
            "Start a newer version of the agent. If its code has changed and its version has not, add "
            "--same-version; --newer skips unchanged agents; --force redrives anyway.",
        )
    return letters


async def _versions(client: Client) -> Versions:
    """The versions in which each agent is running now."""
    present = await client.bus.live.roll_call()
    if COORDINATOR not in {one.name for one in present}:
        present = await client.bus.live.roll_call(timing.ROLL_CALL)
    found: Versions = {}
    for one in present:
        found.setdefault(one.name, set()).add(one.metadata.get("version", one.version))
    return found


def _newer(letter: DeadLetterEntry, there: Versions) -> bool:
    """True if every instance that may get the task has a newer version."""
    return all(newer(version, letter.version) for version in there.get(letter.agent, {letter.version}))


def _reasons(letters: Iterable[DeadLetterEntry], there: Versions, terms: Terms) -> Iterator[str]:
    for letter in letters:
        if letter.agent not in there:
            yield f"no agent {letter.agent} is running"
        elif letter.version in there[letter.agent] and not terms.same_version:
            yield f"{letter.agent} still has version {letter.version}"


# the results


async def _redrive(client: Client, letters: list[DeadLetterEntry], terms: Terms) -> list[Row]:
    begun = await client.redrive(letters, execution_timeout=terms.execution_timeout)
    rows: dict[str, Row] = {}
    for redrive in begun:
        say(f"run {redrive.run} redrives {some(len(redrive.tasks), 'task')} of run {redrive.redrives}")
        rows |= {_id(redrive, task): _row(redrive, task, "redriven") for task in redrive.tasks}
    for letter in letters:
        if letter.id not in rows:
            say(f"{letter.id} was redriven or discarded by somebody else meanwhile")
    if terms.wait:
        with parting(lambda: f"nobody waits any more; {', '.join(redrive.run for redrive in begun)} go on"):
            async with anyio.create_task_group() as following:
                for redrive in begun:
                    following.start_soon(_follow, client, redrive, rows)
    return list(rows.values())


async def _follow(client: Client, redrive: Redrive, rows: dict[str, Row]) -> None:
    """Follow a new run to its end, and note the result of each task."""
    state = RunState(redrive.run)
    async with aclosing(client.run(redrive.run).follow()) as entries:
        async for entry in entries:
            evolve(state, entry)
            match entry.event:
                case Result(task=task) if task in state.tasks and state.tasks[task].status == "done":
                    _note(rows, redrive, task, "done", "")
                case DeadLetter(task=task, because=because) if (
                    task in state.tasks and state.tasks[task].status == "lost"
                ):
                    _note(rows, redrive, task, "dead", because)
                case _:
                    pass
    for task in redrive.tasks:
        if rows[_id(redrive, task)]["status"] == "redriven":
            came = report(client.bus.team, state)
            _note(rows, redrive, task, "dead", f"the run {came.status}: {came.because}")


def _note(rows: dict[str, Row], redrive: Redrive, task: str, status: str, because: str) -> None:
    if rows.get(_id(redrive, task), {}).get("status") == "redriven":
        rows[_id(redrive, task)] = _row(redrive, task, status, because)
        say(
            f"{_id(redrive, task)} is {'dead again' if status == 'dead' else status}"
            + (f": {because}" if because else "")
        )


def _row(redrive: Redrive, task: str, status: str, because: str = "") -> Row:
    return {
        "id": _id(redrive, task),
        "run": redrive.redrives,
        "task": task,
        "status": status,
        "redriven_by": redrive.run,
        "because": because,
    }


def _id(redrive: Redrive, task: str) -> str:
    return f"{redrive.redrives}.{task}"
