"""Timeouts: which attempts are abandoned (deadline, heartbeat timeout, or no work queue holds them). A part of the pure
decider."""

import heapq
from collections.abc import Iterator

from hustings.protocols import AttemptAbandoned, timing

from .policy import BATCH
from .state import TaskState
from .turn import Turn


def abandonments(turn: Turn) -> Iterator[AttemptAbandoned]:
    """The attempts that are past their deadline, whose agent is silent for too long, or that no work queue holds.

    Certain only if the state was folded to the log's end after the view was taken; else an answer may be there."""
    for event in (*_past_deadline(turn), *_lost_by_agents(turn)):
        if event.task not in turn.abandoned:
            turn.abandoned.add(event.task)
            yield event


def _past_deadline(turn: Turn) -> Iterator[AttemptAbandoned]:
    deadlines, now = turn.state.deadlines, turn.view.now
    if not deadlines or deadlines[0][0] > now:
        return
    for deadline, name, attempt in heapq.nsmallest(BATCH, deadlines):
        task = turn.state.tasks[name]
        if deadline <= now and task.status == "open" and task.attempt == attempt:
            because = f"no answer from {task.agent} in time"
            yield AttemptAbandoned(task=name, attempt=attempt, because=because, kind="timed_out")


def _lost_by_agents(turn: Turn) -> Iterator[AttemptAbandoned]:
    state, directory = turn.state, turn.view.directory
    for agent, tasks in state.open.items():
        settled, silent = directory.settled.get(agent, 0), agent not in directory.alive
        for name in tasks if silent or settled else ():
            task = state.tasks[name]
            if state.places[name].seq <= settled:
                because = f"{agent}'s work queue does not hold it any more"
            elif silent and abandons_at(turn, task) <= turn.view.now:
                because = f"no heartbeat from {agent} for too long"
            elif silent:
                continue
            else:
                break
            yield AttemptAbandoned(task=name, attempt=task.attempt, because=because)


def abandons_at(turn: Turn, task: TaskState) -> float:
    """When a silent agent loses a task: soon if another agent can do it. Else after the time of all attempts, because
    the task waits in the agent's work queue and nobody else can do it."""
    state, policy, directory = turn.state, turn.policy, turn.view.directory
    step = state.steps.get(task.step)
    others = directory.alive.intersection(step.step.agents if step else ()) - {task.agent}
    heard = max(task.since, state.driving_since, directory.silent.get(task.agent, 0.0))
    if others:
        return heard + min(timing.AGENT_SILENCE, policy.heartbeat_timeout)
    return heard + policy.heartbeat_timeout * state.policy(task).max_attempts
