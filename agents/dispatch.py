"""Dispatch: who gets which task, which attempts are given up, and which tasks. A part of the pure decider."""

import heapq
from collections import Counter
from collections.abc import Iterator
from itertools import takewhile

from moot.protocols import (
    Assigned,
    Data,
    DeadLetter,
    Directory,
    Lapsed,
)

from .budgeting import Purse
from .folding import task_id
from .policy import BATCH, SILENT, Policy, View, ends_at
from .state import RunState, StepState, TaskState


def lapses(state: RunState, policy: Policy, view: View) -> Iterator[Lapsed]:
    """Attempts past their deadline, whose agent has been silent for too long, or that no inbox holds any more.

    Of a state that is older than the view; that there is no answer is only known of one that has seen the log's end."""
    late = set()
    if state.deadlines and state.deadlines[0][0] <= view.now:
        for deadline, name, attempt in heapq.nsmallest(BATCH, state.deadlines):
            task = state.tasks[name]
            if deadline <= view.now and task.status == "open" and task.attempt == attempt:
                late.add(name)
                yield Lapsed(task=name, attempt=attempt, because=f"no answer from {task.agent} in time")
    for agent, tasks in state.open.items():
        settled, silent = view.directory.settled.get(agent, 0), agent not in view.directory.alive
        for name in tasks if silent or settled else ():
            task = state.tasks[name]
            if name in late:
                continue
            if state.places[name].seq <= settled:
                yield Lapsed(
                    task=name, attempt=task.attempt, because=f"nobody holds it: it lies behind {agent}'s inbox"
                )
            elif silent and lapses_at(state, policy, view, task) <= view.now:
                yield Lapsed(task=name, attempt=task.attempt, because=f"no heartbeat from {agent} for too long")
            elif not silent:
                break


def lapses_at(state: RunState, policy: Policy, view: View, task: TaskState) -> float:
    """When a silent agent's task is taken from it: soon if somebody else could do it. Else it has the time of all
    attempts to come back in, for what was assigned waits in its inbox, and nobody else could do more than wait."""
    step = state.steps.get(task.step)
    others = view.directory.alive.intersection(step.step.agents if step else ()) - {task.agent}
    heard = max(task.since, state.driving_since, view.directory.silent.get(task.agent, 0.0))
    return heard + (min(SILENT, policy.lease) if others else policy.lease * policy.attempts)


def dead_letters(state: RunState, policy: Policy, view: View) -> Iterator[DeadLetter]:
    """Of the tasks that were given up; and those are given up now for which there is no hope."""
    for name in state.dead:
        yield dead_letter(state, name)
    for name in state.retries:
        if hopeless(state, policy, view, name, state.steps[state.tasks[name].step].step.agents):
            yield dead_letter(state, name)


def hopeless(state: RunState, policy: Policy, view: View, name: str, agents: tuple[str, ...]) -> bool:
    """True if nobody else could do the task, and it kills the one who could, or that one has been silent too long."""
    task, kind = state.tasks[name], state.failures[name].kind
    if {*agents} != {task.agent}:
        return False
    heard = view.directory.silent.get(task.agent, task.since)
    gone = task.agent not in view.directory.alive and view.now >= heard + policy.lease * policy.attempts
    return kind == "killed" or (kind == "lapsed" and gone)


def dead_letter(state: RunState, name: str) -> DeadLetter:
    task, failure, place = state.tasks[name], state.failures[name], state.places[name]
    return DeadLetter(
        task=name,
        agent=task.agent,
        skill=place.skill,
        attempts=task.attempt,
        kind=failure.kind,
        because=failure.because,
        version=failure.version or state.versions.get(task.agent, ""),
        assigned=place.seq,
    )


def assignments(state: RunState, policy: Policy, view: View, load: Counter[str], purse: Purse) -> Iterator[Assigned]:
    """Further attempts first, then what is ready, the longest remaining path first; nobody has more than its window.

    Where the budget is shared out, the next one that spends waits for what others give back."""
    deadline = deadline_of(state, policy, view)
    for name in state.retries:
        task = state.tasks[name]
        step = state.steps[task.step]
        agent = choose(step.step.agents, task, load, view.directory)
        if step.step.spends and purse.waits():
            continue
        if load[agent] < policy.window and not hopeless(state, policy, view, name, step.step.agents):
            given = next(state.inputs(step.step, task.ordinal))
            yield _assign(step, task.ordinal, given, task.attempt + 1, agent, load, deadline, purse, policy)
    for _, _, name in heapq.merge(*_open_queues(state, policy, load)):
        step = state.steps[name]
        if step.step.spends and purse.waits():
            continue
        for ordinal, given in enumerate(state.inputs(step.step, step.assigned), step.assigned):
            agent = choose(step.step.agents, None, load, view.directory)
            if load[agent] >= policy.window or (step.step.spends and purse.waits()):
                break
            yield _assign(step, ordinal, given, 1, agent, load, deadline, purse, policy)


def _open_queues(state: RunState, policy: Policy, load: Counter[str]) -> Iterator[Iterator[tuple[float, int, str]]]:
    """The steps that are ready, by who could do them, as long as somebody of these has room."""
    for agents, queue in state.queues.items():
        yield takewhile(lambda _, agents=agents: any(load[agent] < policy.window for agent in agents), queue)  # type: ignore[misc]


def deadline_of(state: RunState, policy: Policy, view: View) -> float:
    """Of an attempt that begins now: never behind the end of the run's own time."""
    end = ends_at(state, policy)
    return view.now + policy.timeout if end is None else min(view.now + policy.timeout, end)


def _assign(
    step: StepState,
    ordinal: int,
    given: Data,
    attempt: int,
    agent: str,
    load: Counter[str],
    deadline: float,
    purse: Purse,
    policy: Policy,
) -> Assigned:
    load[agent] += 1
    return Assigned(
        task=task_id(step.step, ordinal),
        step=step.step.id,
        agent=agent,
        attempt=attempt,
        skill=step.step.skill,
        input=given,
        deadline=deadline,
        ordinal=ordinal,
        share=purse.share(spends=step.step.spends),
        serving=policy.served.of(agent, step.step.skill),
    )


def choose(agents: tuple[str, ...], before: TaskState | None, load: Counter[str], directory: Directory) -> str:
    """Of the agents that could: alive, and well, and not the one that failed, if there is such; the least loaded."""
    alive = [agent for agent in agents if agent in directory.alive] or list(agents)
    alive = [agent for agent in alive if agent not in directory.unwell] or alive
    others = [agent for agent in alive if before is None or agent != before.agent] or alive
    return min(others, key=lambda agent: load[agent])


def load_of(state: RunState) -> Counter[str]:
    """How many tasks each agent has in hand; grows with each that is assigned."""
    return Counter({agent: len(tasks) for agent, tasks in state.open.items()})
