"""Dead letters: which tasks are given up. A part of the pure decider."""

from collections.abc import Iterator

from hustings.protocols import DeadLetter

from .policy import Policy, View
from .state import RunState


def dead_letters(state: RunState, policy: Policy, view: View) -> Iterator[DeadLetter]:
    """The dead letters to write: for tasks that were given up, and for those that are hopeless now."""
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
    """True if only one agent can do the task, and the task kills it, or the agent has been silent for too long."""
    task, kind = state.tasks[name], state.failures[name].kind
    if {*agents} != {task.agent}:
        return False
    heard = view.directory.silent.get(task.agent, task.since)
    vanished = task.agent not in view.directory.alive and view.now >= heard + policy.heartbeat_timeout * policy.attempts
    return kind == "killed" or (kind == "abandoned" and vanished)
