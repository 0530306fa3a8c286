"""Run report: the result of a run, in the shape that `hustings run -o json` prints. Pure."""

from collections.abc import Iterator
from typing import get_args

from hustings.protocols import Amount, Data, Message, Outcome, Proof, Status, Usage, Verdict

from ..decider.state import RunState, TaskState

_EXIT: dict[str, int] = {"decided": 0, "partial": 0, "failed": 1, "cancelled": 1, "undecided": 3}


class Bill(Message, contract="hustings.cli.Bill.v1"):
    """What one agent spent with one model. `money` is in US dollars; `estimated`: the price or the tokens of some
    calls are estimates."""

    agent: str
    model: str
    calls: int
    failed: int
    usage: Usage
    money: float
    estimated: bool


class RunReport(Message, contract="hustings.cli.RunReport.v1"):
    """One run. `status` is "running" until it has ended; `spent` counts tasks, the seconds that skills took, and calls,
    tokens and money (US dollars) if any were spent; `models` splits the spending by agent and model; `dead` has the
    ids of its dead letters.
    """

    run: str
    team: str
    status: Status | str
    because: str
    outcome: Data
    verdicts: tuple[Verdict, ...]
    missing: tuple[str, ...]
    dead: tuple[str, ...] = ()
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
        outcome=end.outcome if end else {},
        verdicts=tuple(verdict for barrier in state.barriers.values() for verdict in barrier.verdicts),
        missing=end.missing if end else tuple(state.missing),
        dead=tuple(f"{state.run}.{name}" for name, task in state.tasks.items() if _dead(state, name, task)),
        spent={"tasks": len(done), "seconds": round(sum(task.seconds for task in done), 3), **_amounts(state)},
        models=tuple(_bills(state)),
        state_hash=end.state_hash if end else state.hash(),
        events=state.events,
        seconds=round(state.last - state.asked_at, 3),
    )


def _dead(state: RunState, name: str, task: TaskState) -> bool:
    """True if the task failed for good and has a dead letter."""
    return task.status == "lost" and name not in state.dead


def _bills(state: RunState) -> Iterator[Bill]:
    for agent, models in sorted(state.tallies.items()):
        for model, tally in sorted(models.items()):
            yield Bill(
                agent=agent,
                model=model,
                calls=tally.calls,
                failed=tally.failed,
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


def exit_code(report: RunReport, outcome: type[Outcome]) -> int:
    """0 decided or partial, 1 failed or cancelled, 3 stopped for a person, 4 a proof of the outcome does not hold."""
    code = _EXIT.get(report.status, 1)
    return 4 if code == 0 and unproved(report, outcome) else code


def unproved(report: RunReport, outcome: type[Outcome]) -> str:
    """The reason why a proof among the outcome's fields does not hold; "" if all hold."""
    for name, field in outcome.model_fields.items():
        kinds = [kind for kind in (field.annotation, *get_args(field.annotation)) if isinstance(kind, type)]
        said = report.outcome.get(name)
        if any(issubclass(kind, Proof) for kind in kinds) and isinstance(said, dict) and not said.get("holds"):
            return str(said.get("because") or f"{name} does not hold")
    return ""
