"""Expiry: which attempts are given up, and which tasks. A part of the pure decider."""

import heapq
from collections.abc import Iterator

from hustings.protocols import AttemptAbandoned, DeadLetter

from .policy import BATCH, SILENT, Policy, View
from .state import RunState, TaskState


def lapses(state: RunState, policy: Policy, view: View) -> Iterator[AttemptAbandoned]:
    """Attempts past their deadline, whose agent has been silent for too long, or that no inbox holds any more.

    Of a state that is older than the view; that there is no answer is only known of one that has seen the log's end."""
    late = set()
    if state.deadlines and state.deadlines[0][0] <= view.now:
        for deadline, name, attempt in heapq.nsmallest(BATCH, state.deadlines):
            task = state.tasks[name]
            if deadline <= view.now and task.status == "open" and task.attempt == attempt:
                late.add(name)
                yield AttemptAbandoned(task=name, attempt=attempt, because=f"no answer from {task.agent} in time")
    for agent, tasks in state.open.items():
        settled, silent = view.directory.settled.get(agent, 0), agent not in view.directory.alive
        for name in tasks if silent or settled else ():
            task = state.tasks[name]
            if name in late:
                continue
            if state.places[name].seq <= settled:
                yield AttemptAbandoned(
                    task=name, attempt=task.attempt, because=f"nobody holds it: it lies behind {agent}'s inbox"
                )
            elif silent and lapses_at(state, policy, view, task) <= view.now:
                yield AttemptAbandoned(
                    task=name, attempt=task.attempt, because=f"no heartbeat from {agent} for too long"
                )
            elif not silent:
                break


def lapses_at(state: RunState, policy: Policy, view: View, task: TaskState) -> float:
    """When a silent agent's task is taken from it: soon if somebody else could do it. Else it has the time of all
    attempts to come back in, for what was assigned waits in its inbox, and nobody else could do more than wait."""
    step = state.steps.get(task.step)
    others = view.directory.alive.intersection(step.step.agents if step else ()) - {task.agent}
    heard = max(task.since, state.driving_since, view.directory.silent.get(task.agent, 0.0))
    return heard + (min(SILENT, policy.heartbeat_timeout) if others else policy.heartbeat_timeout * policy.attempts)


def dead_letters(state: RunState, policy: Policy, view: View) -> Iterator[DeadLetter]:
    """Of the tasks that were given up; and those are given up now for which there is no hope."""
    for name in state.dead:
        yield dead_letter(state, name)
    for name in state.retries:
        if hopeless(state, policy, view, name, state.steps[state.tasks[name].step].step.agents):
            yield dead_letter(state, name)


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


def hopeless(state: RunState, policy: Policy, view: View, name: str, agents: tuple[str, ...]) -> bool:
    """True if nobody else could do the task, and it kills the one who could, or that one has been silent too long."""
    task, kind = state.tasks[name], state.failures[name].kind
    if {*agents} != {task.agent}:
        return False
    heard = view.directory.silent.get(task.agent, task.since)
    gone = task.agent not in view.directory.alive and view.now >= heard + policy.heartbeat_timeout * policy.attempts
    return kind == "killed" or (kind == "lapsed" and gone)
