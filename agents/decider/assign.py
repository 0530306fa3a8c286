"""Assigning: who gets which task. A part of the pure decider."""

import heapq
import math
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from itertools import takewhile
from typing import NamedTuple

from hustings.protocols import (
    Assigned,
    BudgetShare,
    Data,
    Directory,
)

from .budget import BudgetAllocator
from .expiry import hopeless
from .policy import (
    Policy,
    View,
    ends_at,
)
from .state import (
    ASK,
    RunState,
    StepState,
    TaskState,
    task_id,
)


class Due(NamedTuple):
    """An attempt that is due: what each of those who could do it would be given, and which of them would spend.

    `before` is the attempt before it. `latest` bounds its deadline. What is asked for within a task has a `depth`, and
    the `share` that its asker gives away.
    """

    task: str
    skill: str
    given: Mapping[str, Data]
    spenders: Container[str] = ()
    before: TaskState | None = None
    step: str = ""
    ordinal: int = 0
    asked_by: str = ""
    latest: float = math.inf
    depth: int = 0
    share: BudgetShare | None = None


def assign(
    state: RunState, policy: Policy, view: View, load: Counter[str], allocator: BudgetAllocator, due: Due
) -> Assigned | None:
    """The one place where a task becomes somebody's, wherever it comes from: whose, until when, with which share.

    None while there is no room in the window of whoever should have it, or while the budget waits for what others give
    back."""
    agent, asked = choose(tuple(due.given), due.before, load, view.directory), due.asked_by == ASK
    spends = agent in due.spenders
    if not has_room(state, policy, load, agent, due.depth) or (spends and not asked and allocator.waits()):
        return None
    load[agent] += 1
    return Assigned(
        task=due.task,
        step=due.step,
        agent=agent,
        attempt=due.before.attempt + 1 if due.before else 1,
        skill=due.skill,
        input=due.given[agent],
        deadline=min(deadline_of(state, policy, view), due.latest),
        ordinal=due.ordinal,
        asked_by=due.asked_by,
        share=allocator.grant(due.share) if asked else allocator.share(spends=spends),
        serving=policy.served(agent, due.skill),
        depth=due.depth,
    )


def has_room(state: RunState, policy: Policy, load: Counter[str], agent: str, depth: int) -> bool:
    """True if the agent may have one task more.

    Its window is full of tasks that all wait for what they have asked for: then the answers could never be had from the
    agent itself, nor from others who wait for it. So what is asked for may stand above the window, one task at each
    depth: the deepest task of all waits for nobody, and comes to an end.
    """
    if load[agent] < policy.max_open_tasks:
        return True
    tasks = state.open.get(agent, {})
    return depth > 0 and load[agent] == len(tasks) and all(_waits(state, name, depth) for name in tasks)


def _waits(state: RunState, name: str, depth: int) -> bool:
    """True if the task is less deep, and waits for something that it has asked for and that has no answer yet."""
    unanswered = any(child not in state.answers for child in state.waiting.get(name, ()))
    return unanswered and (name not in state.asks or state.asks[name].depth < depth)


def assignments(
    state: RunState, policy: Policy, view: View, load: Counter[str], allocator: BudgetAllocator
) -> Iterator[Assigned]:
    """Further attempts first, then what is ready, the longest remaining path first."""
    for name in state.retries:
        task = state.tasks[name]
        step = state.steps[task.step]
        if not hopeless(state, policy, view, name, step.step.agents):
            given = next(state.inputs(step.step, task.ordinal))
            if assigned := assign(state, policy, view, load, allocator, _due(step, task.ordinal, given, task)):
                yield assigned
    for _, _, name in heapq.merge(*_open_queues(state, policy, load)):
        step = state.steps[name]
        for ordinal, given in enumerate(state.inputs(step.step, step.assigned), step.assigned):
            assigned = assign(state, policy, view, load, allocator, _due(step, ordinal, given))
            if assigned is None:
                break
            yield assigned


def _due(step: StepState, ordinal: int, given: Data, before: TaskState | None = None) -> Due:
    """A task of the plan."""
    of = step.step
    return Due(
        task=task_id(of, ordinal),
        skill=of.skill,
        given=dict.fromkeys(of.agents, given),
        spenders=of.agents if of.spends else (),
        before=before,
        step=of.id,
        ordinal=ordinal,
    )


def _open_queues(state: RunState, policy: Policy, load: Counter[str]) -> Iterator[Iterator[tuple[float, int, str]]]:
    """The steps that are ready, by who could do them, as long as somebody of these has room."""
    for agents, queue in state.queues.items():
        yield takewhile(lambda _, agents=agents: any(load[agent] < policy.max_open_tasks for agent in agents), queue)  # type: ignore[misc]


def deadline_of(state: RunState, policy: Policy, view: View) -> float:
    """Of an attempt that begins now: never behind the end of the run's own time."""
    end = ends_at(state, policy)
    return view.now + policy.attempt_timeout if end is None else min(view.now + policy.attempt_timeout, end)


def choose(agents: tuple[str, ...], before: TaskState | None, load: Counter[str], directory: Directory) -> str:
    """Of the agents that could: alive, and well, and not the one that failed, if there is such; the least loaded."""
    alive = [agent for agent in agents if agent in directory.alive] or list(agents)
    alive = [agent for agent in alive if agent not in directory.unwell] or alive
    others = [agent for agent in alive if before is None or agent != before.agent] or alive
    return min(others, key=lambda agent: load[agent])


def load_of(state: RunState) -> Counter[str]:
    """How many tasks each agent has in hand; grows with each that is assigned."""
    return Counter({agent: len(tasks) for agent, tasks in state.open.items()})
