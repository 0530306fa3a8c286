"""The fold of plans: which step waits for which, which steps are ready, and which are lost."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable
from graphlib import TopologicalSorter

from hustings.protocols import OUTCOME, FromSteps, Planned, Ref

from ..planning.barriers import barriers, owners, waits
from .state import BarrierState, RunState, StepState


def planned(state: RunState, event: Planned) -> None:
    state.plan, state.versions = event.plan, event.versions
    state.steps = {step.id: StepState(step) for step in event.plan.steps}
    state.unbegun = sum(step.spends for step in event.plan.steps)
    state.missing |= dict.fromkeys(event.plan.absent, "absent when the run was planned")
    settles = barriers(event.plan)
    state.barriers = {name: BarrierState(steps) for name, steps in settles.items()}
    state.owner = owners(settles)
    needs = {node: {*before} for node, before in waits(event.plan).items()}
    needs[OUTCOME].update(state.steps)
    _rank(state, needs, event.typical)
    for node, before in needs.items():
        state.waits[node] = len(before)
        for other in sorted(before):
            state.after.setdefault(other, []).append(node)
    ready(state, [node for node, before in needs.items() if not before])


def _rank(state: RunState, needs: dict[str, set[str]], typical: dict[str, float]) -> None:
    ranks = dict.fromkeys(needs, 0.0)
    for node in reversed(list(TopologicalSorter(needs).static_order())):
        if node in state.steps:
            ranks[node] += typical.get(state.steps[node].step.skill, 1.0)
            state.steps[node].rank = ranks[node]
        for before in needs[node]:
            ranks[before] = max(ranks[before], ranks[node])


def ready(state: RunState, freed: Iterable[str]) -> None:
    """Put steps that wait for nothing more on the agenda; those without tasks or without their inputs end at once."""
    nodes = deque(freed)
    while nodes:
        node = nodes.popleft()
        if node in state.steps and not _begins(state, state.steps[node]):
            nodes += release(state, node)
        else:
            state.agenda[node] = None
            if node in state.barriers:
                state.barriers[node].status = "ready"
                state.openings[node] = None
            elif node in state.steps:
                _queue(state, state.steps[node])


def _queue(state: RunState, step: StepState) -> None:
    """Insert the step into the queue of the steps that the same agents can do; equals keep their order."""
    state.queued += 1
    insort(state.queues.setdefault(step.step.agents, []), (-step.rank, state.queued, step.step.id))


def unqueue(state: RunState, step: StepState) -> None:
    queue = state.queues[step.step.agents]
    at = bisect_left(queue, -step.rank, key=lambda turn: turn[0])
    del queue[next(n for n in range(at, len(queue)) if queue[n][2] == step.step.id)]


def _begins(state: RunState, step: StepState) -> bool:
    """Count the step's tasks. False if there are none: an input is lost, or the list to fan out over is empty."""
    state.unbegun -= step.step.spends
    wanted = {name: ref for name, ref in step.step.inputs.items() if name not in step.step.optional}
    if not all(state.available(ref) for ref in wanted.values()):
        lose(state, step)
        return False
    given = state.given_to(step.step)
    step.total = 1 if step.step.each is None else len(given[1])
    step.status = "ready" if step.total else "done"
    if step.total:
        state.given[step.step.id] = given
    state.unassigned += step.total * step.step.spends
    state.widest = max(state.widest, (step.total, step.step.id))
    return step.total > 0


def lose(state: RunState, step: StepState) -> None:
    step.status = "lost"
    plan = state.plan
    for name, ref in plan.outcome.items() if plan else ():
        if name not in plan.optional and not _reachable(state, ref):  # type: ignore[union-attr]
            state.unreachable = state.unreachable or name


def _reachable(state: RunState, ref: Ref) -> bool:
    if isinstance(ref, FromSteps):
        return not ref.steps or any(state.steps[name].status != "lost" for name in ref.steps)
    return True


def release(state: RunState, node: str) -> list[str]:
    freed = []
    for other in state.after.get(node, ()):
        state.waits[other] -= 1
        if state.waits[other] == 0:
            freed.append(other)
    return freed
