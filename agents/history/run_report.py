"""Run report: the result of a run, in the shape that `hustings run -o json` prints. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal, TypeVar, get_args

from pydantic import ValidationError

from hustings.protocols import (
    Amount,
    Data,
    HustingsError,
    Message,
    Outcome,
    Proof,
    RunCancelled,
    RunError,
    RunFailed,
    RunPartial,
    RunUndecided,
    Status,
    Unproved,
    Unreadable,
    Usage,
    Verdict,
)
from hustings.protocols.events import FailureKind
from hustings.protocols.validation import first_error

from ..decider.fold_retries import wait
from ..decider.state import RunState, TaskState

RunStatus = Status | Literal["running"]
OutcomeT = TypeVar("OutcomeT", bound=Outcome)

_ERRORS: dict[RunStatus, type[RunError]] = {
    "failed": RunFailed,
    "cancelled": RunCancelled,
    "undecided": RunUndecided,
}


class Bill(Message, contract="hustings.cli.Bill.v1"):
    """What one agent spent with one model. `money` is in US dollars; `estimated`: the price or the tokens of some
    calls are estimates."""

    agent: str
    model: str
    calls: int
    failed_calls: int
    usage: Usage
    money: float
    estimated: bool


class FailedTask(Message, contract="hustings.cli.FailedTask.v1"):
    """A task that failed for good: its last failure. `at` is FILE:LINE, "" if no exception was raised; `values` has
    the variables there, as text."""

    task: str
    agent: str
    attempts: int
    cause: FailureKind
    because: str
    at: str = ""
    values: dict[str, str] = {}


class NextAttempt(Message, contract="hustings.cli.NextAttempt.v1"):
    """A failed task that is tried again: as attempt number `attempt` of `max_attempts`, at `time` (ISO 8601).

    That is `wait` seconds after the last attempt has failed; whose it was, how and why it failed.
    """

    task: str
    attempt: int
    max_attempts: int
    time: str
    wait: float
    agent: str
    cause: FailureKind
    because: str


class RunReport(Message, contract="hustings.cli.RunReport.v1"):
    """One run. `status` is "running" until it has ended; `spent` counts tasks, the seconds that skills took, and calls,
    tokens and money (US dollars) if any were spent; `models` splits the spending by agent and model; `dead` has the
    ids of its dead letters, `failed` the tasks that failed for good, `due` those that are tried again.
    """

    run: str
    team: str
    status: RunStatus
    because: str
    outcome: Data
    verdicts: tuple[Verdict, ...]
    missing: tuple[str, ...]
    dead: tuple[str, ...] = ()
    failed: tuple[FailedTask, ...] = ()
    due: tuple[NextAttempt, ...] = ()
    spent: Data
    models: tuple[Bill, ...] = ()
    state_hash: str
    events: int
    seconds: float


def report(team: str, state: RunState) -> RunReport:
    """Sum up a run, as far as its log was folded."""
    end = state.concluded
    done = [task for task in state.tasks.values() if task.status == "done"]
    return RunReport(
        run=state.run,
        team=team,
        status=end.status if end else "running",
        because=end.because if end else "",
        outcome=state.outcome() if end else {},
        verdicts=tuple(verdict for barrier in state.barriers.values() for verdict in barrier.verdicts),
        missing=end.missing if end else tuple(state.missing),
        dead=tuple(f"{state.run}.{name}" for name, task in state.tasks.items() if _dead(state, name, task)),
        failed=tuple(_failed(state)),
        due=tuple(again for name in state.failures if (again := next_attempt(state, name))),
        spent={"tasks": len(done), "seconds": round(sum(task.seconds for task in done), 3), **_amounts(state)},
        models=tuple(_bills(state)),
        state_hash=end.state_hash if end else state.hash(),
        events=state.events,
        seconds=round(state.last - state.asked_at, 3),
    )


def _dead(state: RunState, name: str, task: TaskState) -> bool:
    """True if the task failed for good and has a dead letter."""
    return task.status == "lost" and name not in state.dead


def _failed(state: RunState) -> Iterator[FailedTask]:
    for name, failure in state.failures.items():
        task = state.tasks[name]
        if task.status == "lost":
            yield FailedTask(
                task=name,
                agent=failure.agent,
                attempts=task.attempt,
                cause=failure.kind,
                because=failure.because,
                at=failure.at,
                values=failure.values,
            )


def next_attempt(state: RunState, name: str) -> NextAttempt | None:
    """The next attempt of a task that has failed; None if there will be none, or if it is made already."""
    task, failure, asked = state.tasks.get(name), state.failures.get(name), state.asks.get(name)
    if state.concluded or not (task and failure) or task.status != "failed" or (asked and asked.status != "waiting"):
        return None
    return NextAttempt(
        task=name,
        attempt=task.attempt + 1,
        max_attempts=state.policy(task).max_attempts,
        time=iso(task.due),
        wait=wait(state, failure),
        agent=failure.agent,
        cause=failure.kind,
        because=failure.because,
    )


def _bills(state: RunState) -> Iterator[Bill]:
    for agent, models in sorted(state.tallies.items()):
        for model, tally in sorted(models.items()):
            yield Bill(
                agent=agent,
                model=model,
                calls=tally.calls,
                failed_calls=tally.failed,
                usage=tally.usage,
                money=round(tally.money, 6),
                estimated=tally.estimated,
            )


def _amounts(state: RunState) -> Data:
    total = Amount()
    for task in state.spending.values():
        for spent in task.spent.values():
            total = total.plus(spent)
    return {kind: amount for kind, amount in total if amount}


def iso(moment: float) -> str:
    """A moment, in seconds since the epoch, as every JSON output has it: ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def exit_code(report: RunReport, outcome: type[Outcome]) -> int:
    """0 decided, 1 failed or cancelled, 3 stopped for a person, 4 a proof of the outcome does not hold, 7 partial."""
    error = shortfall(report, outcome)
    return error.exit_code if error else 0


def outcome_of(report: RunReport, outcome: type[OutcomeT], *, partial: bool = False) -> OutcomeT:
    """The outcome of an ended run. Raises what `shortfall` gives, and Unreadable if it is not of this type.

    `partial` accepts the outcome of a partial run, if it is whole without those who were missing.
    """
    error = shortfall(report, outcome)
    if error and not (partial and isinstance(error, RunPartial)):
        raise error
    try:
        return outcome.of(report.outcome)
    except ValidationError as misfit:
        what = f"the outcome of run {report.run} is no {outcome.__name__}"
        raise error or Unreadable(what, first_error(misfit)) from None


def shortfall(report: RunReport, outcome: type[Outcome]) -> HustingsError | None:
    """Why a run has no outcome, or one that is not whole or not proved; None if it is whole and proved."""
    details = _where_to_look(report)
    if report.status not in ("decided", "partial"):
        error = _ERRORS.get(report.status, RunError)
        place = next((task.at for task in report.failed if task.at and task.because in report.because), "")
        why = f"{report.because} ({place})" if place else report.because
        return error(f"run {report.run} {report.status}", why, details)
    if why := unproved(report, outcome):
        return Unproved(f"the outcome of run {report.run} is not proved", why)
    if report.status == "partial":
        return RunPartial(f"run {report.run} partial", report.because, details)
    return None


def _where_to_look(report: RunReport) -> str:
    raised = [task.task for task in report.failed if task.at]
    if raised:
        return f"`hustings dead show {report.run}.{raised[0]}` shows the traceback"
    return f"`hustings show {report.run}` shows the details"


def unproved(report: RunReport, outcome: type[Outcome]) -> str:
    """The reason why a proof among the outcome's fields does not hold; "" if all hold."""
    for name, field in outcome.model_fields.items():
        kinds = [kind for kind in (field.annotation, *get_args(field.annotation)) if isinstance(kind, type)]
        said = report.outcome.get(name)
        if any(issubclass(kind, Proof) for kind in kinds) and isinstance(said, dict) and not said.get("holds"):
            return str(said.get("because") or f"{name} does not hold")
    return ""
