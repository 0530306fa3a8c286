"""The conclusion: whether and how a run ends. A part of the pure decider."""

from collections.abc import Iterator

from hustings.protocols import OUTCOME, Concluded, Status

from .state import RunState
from .turn import Turn


def ended_from_outside(turn: Turn) -> Iterator[Concluded]:
    """The end of a run that is cancelled, or has passed its time or its budget."""
    state, budget = turn.state, turn.budget
    total, step = state.widest
    if state.cancelled:
        yield concluded_event(turn, "cancelled", state.cancelled)
    elif turn.view.now >= turn.ends_at:
        yield concluded_event(turn, "failed", f"it took longer than {turn.ends_at - state.asked_at:g} s")
    elif state.exhausted and turn.policy.exhausted == "stop":
        yield concluded_event(turn, "failed", f"the budget is exhausted: {state.exhausted}")
    elif budget and budget.fan_out is not None and total > budget.fan_out:
        why = f"{step} fans out to {total} tasks, and the budget allows {budget.fan_out}"
        yield concluded_event(turn, "failed", why)


def conclusion(turn: Turn) -> Iterator[Concluded]:
    """The end of the run, if nothing is left to do."""
    state = turn.state
    if state.unreachable:
        why = f"outcome.{state.unreachable} cannot be filled any more: {_missing(state)}"
        yield concluded_event(turn, "failed", why)
    elif OUTCOME in state.agenda:
        yield _settled(turn)


def _settled(turn: Turn) -> Concluded:
    state = turn.state
    undecided = sum(not v.decided for barrier in state.barriers.values() for v in barrier.verdicts)
    if undecided and turn.policy.undecided == "stop":
        matters = "1 matter is" if undecided == 1 else f"{undecided} matters are"
        return concluded_event(turn, "undecided", f"{matters} undecided, and this team leaves that to a person")
    if state.missing:
        return concluded_event(turn, "partial", f"without {_missing(state)}")
    left = f"{undecided} of {state.conflicts + state.agreed} matters left open"
    return concluded_event(turn, "decided", left if undecided else "everything was settled")


def _missing(state: RunState) -> str:
    """The missing agents with their reasons, those with the same reason together."""
    reasons: dict[str, list[str]] = {}
    for agent, because in state.missing.items():
        reasons.setdefault(because, []).append(agent)
    return "; ".join(f"{', '.join(agents)}: {because}" for because, agents in reasons.items())


def concluded_event(turn: Turn, status: Status, because: str, missing: tuple[str, ...] = ()) -> Concluded:
    state = turn.state
    return Concluded(
        status=status,
        because=because,
        filled=tuple(state.outcome()),
        state_hash=state.hash(),
        at=state.seq,
        missing=tuple(dict.fromkeys((*missing, *state.missing))),
    )
