"""The fold of retries: whether an attempt follows one that failed, and when it is due. All of it follows from the log:
from the policy, from when the failure was stored, and from a hash in place of chance."""

import hashlib
from bisect import bisect_left, insort

from hustings.protocols import Failure
from hustings.protocols.events import FailureKind

from .state import RunState

PASSING: frozenset[FailureKind] = frozenset({"raised", "timed_out", "invalid"})  # may be otherwise a little later


def is_final(state: RunState, failure: Failure) -> bool:
    """True if no attempt follows: the failure forbids it, or it was the last one."""
    most = state.policy(state.tasks[failure.task]).max_attempts
    return failure.kind == "non_retryable" or failure.attempt >= most


def wait(state: RunState, failure: Failure) -> float:
    """The seconds that the next attempt waits: those of the policy, if what failed may pass.

    An agent that is lost, was killed by the task, or would fail again, is replaced at once, if another one can do it.
    """
    if failure.lasting or failure.kind not in PASSING:
        return 0.0
    return state.policy(state.tasks[failure.task]).interval(failure.attempt, _spread(state, failure))


def _spread(state: RunState, failure: Failure) -> float:
    digest = hashlib.sha256(f"{state.run}/{failure.task}/{failure.attempt}".encode()).digest()
    return int.from_bytes(digest[:4]) / 2**32


def postpone(state: RunState, failure: Failure) -> None:
    """The next attempt is due after the wait; a barrier that asked for it is settled then."""
    task = state.tasks[failure.task]
    task.due = state.last + wait(state, failure)
    if not task.asked_by:
        insort(state.retries, (task.due, failure.task))
    elif barrier := state.barriers.get(task.asked_by):
        barrier.due = max(barrier.due, task.due)


def no_longer_due(state: RunState, name: str) -> None:
    """The next attempt has been assigned, or will not be made."""
    if task := state.tasks.get(name):
        at = bisect_left(state.retries, (task.due, name))
        if state.retries[at : at + 1] == [(task.due, name)]:
            del state.retries[at]
