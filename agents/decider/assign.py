"""Assigning: which agent gets which task. A part of the pure decider."""

import heapq
import math
from collections.abc import Container, Iterator, Mapping
from itertools import takewhile
from types import MappingProxyType
from typing import NamedTuple

from hustings.protocols import Assigned, BudgetShare, Data

from .state import ASK, StepState, TaskState, task_id
from .turn import Turn


class Due(NamedTuple):
    """An attempt that is due. `given`: the input, by agent that can do it; `spenders`: the agents that spend budget.

    `before` is the previous attempt. `latest` bounds the deadline. A task that answers an ask has a `depth`, and the
    `share` of the budget that the asker passes on.
    """

    task: str
    skill: str
    given: Mapping[str, Data] = MappingProxyType({})
    spenders: Container[str] = ()
    before: TaskState | None = None
    step: str = ""
    ordinal: int = 0
    asked_by: str = ""
    latest: float = math.inf
    depth: int = 0
    share: BudgetShare | None = None


def assignments(turn: Turn) -> Iterator[Assigned]:
    """The assignments that are due: further attempts first, then ready steps, the longest remaining path first."""
    state = turn.state
    for name in state.due(turn.view.now):
        if name not in turn.abandoned:
            task = state.tasks[name]
            step = state.steps[task.step]
            given = next(state.inputs(step.step, task.ordinal))
            if assigned := assign(turn, _due(step, task.ordinal, given, task)):
                yield assigned
    for _, _, name in heapq.merge(*_open_queues(turn)):
        step = state.steps[name]
        for ordinal, given in enumerate(state.inputs(step.step, step.assigned), step.assigned):
            assigned = assign(turn, _due(step, ordinal, given))
            if assigned is None:
                break
            yield assigned


def _open_queues(turn: Turn) -> Iterator[Iterator[tuple[float, int, str]]]:
    """The queues of ready steps, one per set of agents, each until none of its agents may get another task."""
    load, most = turn.load, turn.policy.max_open_tasks
    for agents, queue in turn.state.queues.items():
        yield takewhile(lambda _, agents=agents: any(load[agent] < most for agent in agents), queue)  # type: ignore[misc]


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


def assign(turn: Turn, due: Due) -> Assigned | None:
    """The only place that makes an Assigned, for every kind of task: chooses the agent, the deadline, and the share.

    None while the chosen agent has `max_open_tasks` open tasks, or while nothing of the budget is left until attempts
    under way give some back."""
    agent, asked, allocator, policy = _choose(turn, due), due.asked_by == ASK, turn.allocator, turn.policy
    spends = agent in due.spenders
    if not _has_room(turn, agent, due.depth) or (spends and not asked and allocator.waits()):
        return None
    turn.load[agent] += 1
    card = turn.skills.get((agent, due.skill))
    timeout, retry = (card.timeout, card.retry) if card else (None, None)
    return Assigned(
        task=due.task,
        step=due.step,
        agent=agent,
        attempt=due.before.attempt + 1 if due.before else 1,
        skill=due.skill,
        input=due.given[agent],
        deadline=min(turn.view.now + max(policy.attempt_timeout, timeout or 0.0), turn.ends_at, due.latest),
        ordinal=due.ordinal,
        asked_by=due.asked_by,
        share=allocator.grant(due.share) if asked else allocator.share(spends=spends),
        serving=policy.served(agent, due.skill),
        depth=due.depth,
        record=policy.record,
        retry=None if retry == policy.retry else retry,
        timeout=timeout,
    )


def _choose(turn: Turn, due: Due) -> str:
    """The agent to use: not one that would fail again; if possible alive, then well, then not the one that failed
    before; then the least loaded."""
    directory, before, unfit = turn.view.directory, due.before, turn.state.unfit.get(due.task, ())
    fit = [agent for agent in due.given if agent not in unfit] or list(due.given)
    alive = [agent for agent in fit if agent in directory.alive] or fit
    alive = [agent for agent in alive if agent not in directory.unwell] or alive
    others = [agent for agent in alive if before is None or agent != before.agent] or alive
    return min(others, key=lambda agent: turn.load[agent])


def _has_room(turn: Turn, agent: str, depth: int) -> bool:
    """True if the agent may get one more task.

    A task that answers an ask may exceed `max_open_tasks` if all open tasks of the agent wait for asks of their own, by
    one task per depth. Otherwise agents that ask each other could wait forever. The deepest task waits for no other, so
    it ends.
    """
    if turn.load[agent] < turn.policy.max_open_tasks:
        return True
    tasks = turn.state.open.get(agent, {})
    return depth > 0 and turn.load[agent] == len(tasks) and all(_waits(turn, name, depth) for name in tasks)


def _waits(turn: Turn, name: str, depth: int) -> bool:
    """True if the task is less deep and waits for an ask that has no answer yet."""
    state = turn.state
    unanswered = any(child not in state.answers for child in state.waiting.get(name, ()))
    return unanswered and (name not in state.asks or state.asks[name].depth < depth)
