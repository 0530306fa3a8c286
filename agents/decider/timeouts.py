"""Timeouts: which attempts are abandoned (deadline, heartbeat timeout, or no work queue holds them). A part of the pure
decider."""

import heapq
from collections.abc import Iterator

from hustings.protocols import AttemptAbandoned, timing

from .policy import BATCH, Policy, View
from .state import RunState, TaskState


def abandonments(state: RunState, policy: Policy, view: View) -> Iterator[AttemptAbandoned]:
    """The attempts that are past their deadline, whose agent is silent for too long, or that no work queue holds.

    Certain only if the state was folded to the log's end after the view was taken; else an answer may be there."""
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
                    task=name, attempt=task.attempt, because=f"{agent}'s work queue does not hold it any more"
                )
            elif silent and abandons_at(state, policy, view, task) <= view.now:
                yield AttemptAbandoned(
                    task=name, attempt=task.attempt, because=f"no heartbeat from {agent} for too long"
                )
            elif not silent:
                break


def abandons_at(state: RunState, policy: Policy, view: View, task: TaskState) -> float:
    """When a silent agent loses a task: soon if another agent can do it. Else after the time of all attempts, because
    the task waits in the agent's work queue and nobody else can do it."""
    step = state.steps.get(task.step)
    others = view.directory.alive.intersection(step.step.agents if step else ()) - {task.agent}
    heard = max(task.since, state.driving_since, view.directory.silent.get(task.agent, 0.0))
    if others:
        return heard + min(timing.AGENT_SILENCE, policy.heartbeat_timeout)
    return heard + policy.heartbeat_timeout * policy.attempts
