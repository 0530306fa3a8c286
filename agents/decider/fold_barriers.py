"""The fold of barriers: opened, waiting for answers, settled."""

from pydantic import JsonValue

from hustings.protocols import Opened, Settled, Testimony

from .fold_plan import ready, release
from .state import RunState


def status_of(state: RunState, barrier: str) -> str:
    return state.barriers[barrier].status if barrier in state.barriers else ""


def opened(state: RunState, event: Opened, now: float) -> None:
    barrier = state.barriers[event.barrier]
    barrier.status, barrier.since = "open", now
    barrier.matters = event.matters
    barrier.items = {item.id: item for item in event.items}
    state.conflicts += sum(matter.contested for matter in event.matters)
    state.agreed += sum(not matter.contested for matter in event.matters)
    state.agenda.pop(event.barrier, None)
    state.openings.pop(event.barrier, None)
    state.unsettled[event.barrier] = None


def settled(state: RunState, event: Settled) -> None:
    barrier = state.barriers[event.barrier]
    barrier.status, barrier.verdicts = "settled", event.verdicts
    state.unsettled.pop(event.barrier, None)
    ready(state, release(state, event.barrier))


def wake(state: RunState, asked_by: str) -> None:
    """An inquiry was answered, or is due again: the planner or barrier that asked it can decide now."""
    barrier = state.barriers.get(asked_by)
    if barrier and barrier.status in ("open", "asking"):
        barrier.status = "open"
        state.unsettled[asked_by] = None


def testimonies(output: JsonValue) -> list[Testimony]:
    """The output of a witness: one Testimony, or a list of them. Raises pydantic.ValidationError."""
    return [Testimony.of(said) for said in (output if isinstance(output, list) else [output])]
