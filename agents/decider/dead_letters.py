"""Dead letters: which tasks are given up. A part of the pure decider."""

from collections.abc import Iterator

from hustings.protocols import DeadLetter

from .state import RunState
from .turn import Turn


def dead_letters(turn: Turn) -> Iterator[DeadLetter]:
    """The dead letters to write: for tasks that were given up, and for those that are hopeless now."""
    state = turn.state
    for name in state.dead:
        yield dead_letter(state, name)
    for name in state.due(turn.view.now):
        if hopeless(turn, name, state.steps[state.tasks[name].step].step.agents):
            turn.abandoned.add(name)
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
        at=failure.at,
    )


def hopeless(turn: Turn, name: str, agents: tuple[str, ...]) -> bool:
    """True if no agent is left that could do the task but one, and the task kills it, or it would fail again, or has
    been silent for too long."""
    task, failure, directory = turn.state.tasks[name], turn.state.failures[name], turn.view.directory
    if not {*agents} <= turn.state.unfit.get(name, set()) | {task.agent}:
        return False
    longest = turn.policy.heartbeat_timeout * turn.state.policy(task).max_attempts
    heard = directory.silent.get(task.agent, task.since)
    vanished = task.agent not in directory.alive and turn.view.now >= heard + longest
    silent = failure.kind in ("abandoned", "timed_out")
    return failure.kind == "killed" or failure.lasting or (silent and vanished)
