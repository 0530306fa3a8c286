"""The fold of barriers: opened, waiting for answers, settled. It joins what lies on the log once: items and rulings."""

from collections.abc import Iterator

from pydantic import JsonValue

from hustings.protocols import Claim, Opened, Proposal, Settled, Testimony

from .fold_plan import ready, release
from .state import BarrierState, RunState, task_id


def can_open(state: RunState, event: Opened) -> bool:
    """True if the barrier is ready, and its witnesses said everything that the matters name."""
    barrier = state.barriers.get(event.barrier)
    if barrier is None or barrier.status != "ready":
        return False
    said = {item.id for item in testimony(state, barrier)}
    return all(said.issuperset(matter.items) for matter in event.matters)


def opened(state: RunState, event: Opened, now: float) -> None:
    barrier = state.barriers[event.barrier]
    barrier.status, barrier.since = "open", now
    barrier.matters = event.matters
    barrier.items = {item.id: item for item in testimony(state, barrier)}
    for task in _tasks(state, barrier):
        del state.testimony[task]
    state.conflicts += sum(matter.contested for matter in event.matters)
    state.agreed += sum(not matter.contested for matter in event.matters)
    state.agenda.pop(event.barrier, None)
    state.openings.pop(event.barrier, None)
    state.unsettled[event.barrier] = None


def can_settle(state: RunState, event: Settled) -> bool:
    """True if the barrier is open, and the rulings name its matters and items."""
    barrier = state.barriers.get(event.barrier)
    if barrier is None or barrier.status not in ("open", "asking"):
        return False
    matters = {matter.id for matter in barrier.matters}
    return all(each.matter in matters and barrier.items.keys() >= {*each.stands} for each in event.rulings)


def settled(state: RunState, event: Settled) -> None:
    barrier = state.barriers[event.barrier]
    matters = {matter.id: matter for matter in barrier.matters}
    barrier.status = "settled"
    barrier.verdicts = tuple(ruling.verdict(matters[ruling.matter], barrier.items) for ruling in event.rulings)
    state.unsettled.pop(event.barrier, None)
    ready(state, release(state, event.barrier))


def wake(state: RunState, asked_by: str) -> None:
    """An inquiry was answered, or is due again: the planner or barrier that asked it can decide now."""
    barrier = state.barriers.get(asked_by)
    if barrier and barrier.status in ("open", "asking"):
        barrier.status = "open"
        state.unsettled[asked_by] = None


def hear(state: RunState, task: str, output: JsonValue) -> None:
    """Keep the items that a witness returned, each with its id (task and number) and author, until their barrier opens.

    Raises pydantic.ValidationError: the output is not one Testimony, or a list of them.
    """
    spoken = [Testimony.of(said) for said in (output if isinstance(output, list) else [output])]
    if state.tasks[task].step in state.owner:
        items = (item for each in spoken for item in _items(each))
        by = state.tasks[task].agent
        state.testimony[task] = tuple(
            item.model_copy(update={"id": f"{task}.{number}", "by": by}) for number, item in enumerate(items)
        )


def _items(spoken: Testimony) -> tuple[Claim | Proposal, ...]:
    return (*spoken.claims, *spoken.proposals)


def testimony(state: RunState, barrier: BarrierState) -> tuple[Claim | Proposal, ...]:
    """All items that the witnesses of a barrier returned that has not been opened."""
    return tuple(item for task in _tasks(state, barrier) for item in state.testimony[task])


def _tasks(state: RunState, barrier: BarrierState) -> Iterator[str]:
    for name in barrier.steps:
        step = state.steps[name]
        yield from (task_id(step.step, ordinal) for ordinal in sorted(step.outputs))
