"""`hustings replay RUN`: step through a recorded run, fold it again, and compare the result with the recorded one."""

from contextlib import aclosing
from typing import Any

import click

from hustings.bus import Bus
from hustings.protocols import COORDINATOR, Concluded, Entry, HustingsError

from ...decider.folding import evolve
from ...decider.state import RunState
from ...history.reexecute import re_execute as re_executed
from ...history.run_report import iso
from ...observe.logs import configure_logging
from ...observe.telemetry import Spanned, replaying, set_up
from ...team import Team
from ...views.retries import told
from ...views.text import plain, some
from ..frame.loading import load_team
from ..frame.options import common
from ..frame.output import emit
from ..frame.session import go, reading
from ..frame.settings import Settings

LINKS = 100  # span links from a replay to recorded traces


class Differs(HustingsError):
    """The replay does not come to what the log has on record."""

    try_this = (
        "Replay with the version of hustings that recorded the run. If the log was changed, `hustings replay -o jsonl` "
        "shows each entry."
    )


@click.command()
@click.argument("run")
@click.option("--team", help="The team of the run, if the id fits runs of several teams.")
@click.option(
    "--pace",
    type=click.FloatRange(min=0, min_open=True),
    metavar="X",
    help="Replay at X times the recorded speed.  [default: at once]",
)
@click.option(
    "--re-execute",
    metavar="MODULE:TEAM",
    help="Also run the specialists' skills again, with the recorded answers of models and tools.",
)
@common
def replay(settings: Settings, run: str, team: str | None, pace: float | None, re_execute: str | None) -> None:
    """Step through a recorded run; calls no model and no tool.

    RUN is an id, the beginning of one, @last or @prev. At the end the hash of the state must equal the recorded one.
    """
    if re_execute:
        configure_logging("replay", format="text")  # skills that run again log to stderr
    workers = load_team(re_execute) if re_execute else None
    set_up("replay")
    summary = go(_replay, settings, run, team, pace, workers)
    emit(settings, summary, _verdict)
    if summary["same"] is False:
        raise Differs(
            f"run {summary['run']} does not replay to the recorded state",
            f"the state's hash is {summary['state_hash']}, the recorded hash is {summary['recorded_hash']}",
        )
    if other := [task for task in summary.get("re_executed", []) if not task["same"]]:
        raise Differs(
            f"{other[0]['task']} of {other[0]['agent']} does not give the recorded answer", other[0]["because"]
        )


async def _replay(
    settings: Settings, run: str, team: str | None, pace: float | None, workers: Team | None
) -> dict[str, Any]:
    async with reading(settings, run, team) as (bus, found):
        with replaying(bus.team, found) as span:
            return await _stepped(settings, bus, found, pace, workers, span)


async def _stepped(
    settings: Settings, bus: Bus, run: str, pace: float | None, workers: Team | None, span: Spanned
) -> dict[str, Any]:
    end = await _end(bus, run)
    state, hashed, traces = RunState(run), "", dict[str, None]()
    async for entry in bus.log.replay(run, pace) if pace else bus.log.read(run):
        evolve(state, entry)
        if entry.envelope and entry.envelope.traceparent:
            traces[entry.envelope.traceparent] = None
        if end and entry.seq == end.at:
            hashed = state.hash()
        if settings.output != "json":
            emit(settings, _step(entry, state), lambda step: _line(step))
    state_hash = hashed if end else state.hash()
    members = {member.name: member for member in workers.specialists} if workers else {}
    for trace in list(traces)[:LINKS]:
        span.link(trace)
    results = [task async for task in re_executed(bus, run, members)] if members else []
    return {
        "run": run,
        "team": bus.team,
        "state_hash": state_hash,
        "recorded_hash": end.state_hash if end else None,
        "same": state_hash == end.state_hash if end else None,
        "events": state.events,
        **({"re_executed": [task._asdict() for task in results]} if workers else {}),
    }


async def _end(bus: Bus, run: str) -> Concluded | None:
    """The coordinator's conclusion; it records the hash of the state and the entry after which it was taken."""
    async with aclosing(bus.log.read(run)) as entries:
        async for entry in entries:
            if isinstance(entry.event, Concluded) and entry.subject.author == COORDINATOR:
                return entry.event
    return None


def _step(entry: Entry, state: RunState) -> dict[str, Any]:
    return {
        "sequence": entry.seq,
        "time": iso(entry.time),
        "seconds": round(entry.time - state.asked_at, 3) if state.asked_at else 0.0,
        "author": entry.subject.author,
        "type": entry.envelope.type if entry.envelope else None,
        "says": told(entry, state),
    }


def _line(step: dict[str, Any]) -> str:
    return f"{step['sequence']:>6}  {step['seconds']:>8.3f}  {plain(step['author']):<14}  {step['says']}"


def _verdict(summary: dict[str, Any]) -> str:
    how = {
        True: "as recorded",
        False: f"but the recorded hash is {summary['recorded_hash']}",
        None: "the run has not ended",
    }
    done = summary.get("re_executed", [])
    again = (
        f"; {some(len(done), 'task')} done again from {some(sum(t['calls'] for t in done), 'recorded call')}"
        if done
        else ""
    )
    return plain(f"state hash {summary['state_hash'] or 'unknown'} — {how[summary['same']]}{again}")
