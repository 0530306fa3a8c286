"""Retries: how a skill is retried, and when the next attempt of a failed task is due, in words."""

from collections.abc import Iterator
from datetime import datetime

from hustings.protocols import AttemptAbandoned, Entry, Failure, RetryPolicy, SkillCard

from ..decider.state import RunState
from ..history.run_report import NextAttempt, next_attempt
from .text import clock, describe, plain, some, span


def told(entry: Entry, state: RunState) -> str:
    """As `describe`; of a failed attempt also when the next one is due. `state` is folded up to this entry."""
    failed = isinstance(entry.event, Failure | AttemptAbandoned)
    again = next_attempt(state, entry.event.task) if failed else None  # type: ignore[union-attr]
    return f"{describe(entry)}; {soon(again)}" if again else describe(entry)


def soon(again: NextAttempt) -> str:
    """ "attempt 2 of 3 in 0.95 s"."""
    when = f"in {span(again.wait)}" if again.wait else "at once"
    return f"attempt {again.attempt} of {again.max_attempts} {when}"


def waiting(again: NextAttempt) -> str:
    """ "fetch: attempt 2 of 3 at 12:03:11, 0.95 s after attempt 1 failed (raised): ValueError: no"."""
    when = (
        f"at {clock(datetime.fromisoformat(again.time).timestamp())}, {span(again.wait)} after"
        if again.wait
        else "as soon as an agent is free:"
    )
    failed = f"attempt {again.attempt - 1} failed ({again.cause}): {again.because}"
    return plain(f"{again.task}: attempt {again.attempt} of {again.max_attempts} {when} {failed}")


def limits(card: SkillCard, team: RetryPolicy | None = None) -> Iterator[str]:
    """What a skill lays down for itself, a line each: how it is retried, unless the team says the same; its timeout."""
    if card.retry and card.retry != team:
        yield f"retry: {retrying(card.retry)}"
    if card.timeout:
        yield f"timeout: {card.timeout:g} s"


def retrying(policy: RetryPolicy) -> str:
    """ "3 attempts, 1 s apart at first, then 2 times as long each time, up to 60 s; none after ValueError"."""
    told = some(policy.max_attempts, "attempt")
    if policy.max_attempts > 1:
        told += f", {min(policy.initial_interval, policy.max_interval):g} s apart"
    if policy.max_attempts > 2 and policy.backoff > 1 and policy.initial_interval < policy.max_interval:
        told += f" at first, then {policy.backoff:g} times as long each time, up to {policy.max_interval:g} s"
    return told + (f"; none after {', '.join(map(str, policy.non_retryable))}" if policy.non_retryable else "")
