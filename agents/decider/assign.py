"""Assigning: which agent gets which task. A part of the pure decider."""

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

from .allocation import BudgetAllocator
from .dead_letters import hopeless
from .policy import Policy, View, ends_at
from .state import (
    ASK,
    RunState,
    StepState,
    TaskState,
    task_id,
)


class Due(NamedTuple):
    """An attempt that is due. `given`: the input, by agent that can do it; `spenders`: the agents that spend budget.

    `before` is the previous attempt. `latest` bounds the deadline. A task that answers an ask has a `depth`, and the
    `share` of the budget that the asker passes on.
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
    """The only place that makes an Assigned, for every kind of task: chooses the agent, the deadline, and the share.

    None while the chosen agent has `max_open_tasks` open tasks, or while nothing of the budget is left until attempts
    under way give some back."""
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
    """True if the agent may get one more task.

    A task that answers an ask may exceed `max_open_tasks` if all open tasks of the agent wait for asks of their own, by
    one task per depth. Otherwise agents that ask each other could wait forever. The deepest task waits for no other, so
    it ends.
    """
    if load[agent] < policy.max_open_tasks:
        return True
    tasks = state.open.get(agent, {})
    return depth > 0 and load[agent] == len(tasks) and all(_waits(state, name, depth) for name in tasks)


def _waits(state: RunState, name: str, depth: int) -> bool:
    """True if the task is less deep and waits for an ask that has no answer yet."""
    unanswered = any(child not in state.answers for child in state.waiting.get(name, ()))
    return unanswered and (name not in state.asks or state.asks[name].depth < depth)


def assignments(
    state: RunState, policy: Policy, view: View, load: Counter[str], allocator: BudgetAllocator
) -> Iterator[Assigned]:
    """The assignments that are due: further attempts first, then ready steps, the longest remaining path first."""
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
    """The next attempt of a task of the plan."""
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
    """The queues of ready steps, one per set of agents, each until none of its agents may get another task."""
    for agents, queue in state.queues.items():
        yield takewhile(lambda _, agents=agents: any(load[agent] < policy.max_open_tasks for agent in agents), queue)  # type: ignore[misc]


def deadline_of(state: RunState, policy: Policy, view: View) -> float:
    """The deadline of an attempt that begins now; never after the end of the run."""
    end = ends_at(state, policy)
    return view.now + policy.attempt_timeout if end is None else min(view.now + policy.attempt_timeout, end)


def choose(agents: tuple[str, ...], before: TaskState | None, load: Counter[str], directory: Directory) -> str:
    """The agent to use: if possible alive, then well, then not the one that failed before; then the least loaded."""
    alive = [agent for agent in agents if agent in directory.alive] or list(agents)
    alive = [agent for agent in alive if agent not in directory.unwell] or alive
    others = [agent for agent in alive if before is None or agent != before.agent] or alive
    return min(others, key=lambda agent: load[agent])


def load_of(state: RunState) -> Counter[str]:
    """The number of open tasks of each agent; the caller adds those that it assigns."""
    return Counter({agent: len(tasks) for agent, tasks in state.open.items()})
