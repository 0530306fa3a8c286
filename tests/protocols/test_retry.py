"""RetryPolicy: its waits are bounded and follow from their arguments alone; wrong values are refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from hustings.protocols import RetryPolicy, RunAcquired, SkillCard
from hustings.protocols.retry import error_types

NEAR = 1e-6  # to which the waits are rounded
PROPERTY = settings(derandomize=True, max_examples=200, deadline=None)
POLICIES = st.builds(
    RetryPolicy,
    max_attempts=st.integers(1, 1_000_000),
    initial_interval=st.floats(0, 1e9),
    backoff=st.floats(1, 1000),
    max_interval=st.floats(0, 1e9),
    jitter=st.floats(0, 1),
)


def test_the_defaults_are_those_of_the_documentation() -> None:
    """1 s, then 2 s, then 4 s, up to a minute; each up to a tenth shorter. Logs leave them out, so they stay."""
    policy = RetryPolicy()
    assert policy.max_attempts == 3
    assert [policy.interval(attempt, 0.0) for attempt in (1, 2, 3, 6, 7, 1000)] == [1, 2, 4, 32, 60, 60]
    assert [policy.interval(attempt, 1.0) for attempt in (1, 2, 7)] == [0.9, 1.8, 54]


@PROPERTY
@given(POLICIES, st.lists(st.integers(1, 1_000_000), min_size=2), st.floats(0, 1))
def test_the_waits_grow_up_to_the_longest_and_never_beyond(
    policy: RetryPolicy, attempts: list[int], spread: float
) -> None:
    """With the same spread a later attempt waits no shorter; however many attempts there are, no wait is too long."""
    waits = [policy.interval(attempt, spread) for attempt in sorted(attempts)]
    assert waits == sorted(waits)
    assert all(0 <= wait <= policy.max_interval + NEAR for wait in waits)
    assert policy.interval(1, 0.0) <= policy.initial_interval + NEAR


@PROPERTY
@given(POLICIES, st.integers(1, 1_000_000), st.floats(0, 1), st.floats(0, 1))
def test_the_jitter_shortens_a_wait_by_no_more_than_it_says(
    policy: RetryPolicy, attempt: int, one: float, other: float
) -> None:
    whole = policy.interval(attempt, 0.0)
    assert whole * (1 - policy.jitter) - NEAR <= policy.interval(attempt, one) <= whole
    less, more = sorted((one, other))
    assert policy.interval(attempt, more) <= policy.interval(attempt, less)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"max_attempts": 0}, "greater than or equal to 1"),
        ({"max_attempts": 2.0}, "valid integer"),
        ({"initial_interval": -1}, "greater than or equal to 0"),
        ({"initial_interval": float("inf")}, "finite"),
        ({"max_interval": float("nan")}, "finite"),
        ({"backoff": 0.5}, "greater than or equal to 1"),
        ({"jitter": 1.5}, "less than or equal to 1"),
        ({"non_retryable": ["requests.Timeout"]}, "bare name"),
        ({"non_retryable": [int]}, "exception class"),
        ({"non_retryable": "ValueError"}, "valid tuple"),
    ],
)
def test_a_value_out_of_bounds_is_refused(given: dict[str, object], says: str) -> None:
    """In Python, and from the wire, where a foreign agent may announce anything."""
    with pytest.raises(ValidationError, match=says):
        RetryPolicy.model_validate(given)


@pytest.mark.parametrize("raw", ['{"max_attempts": 1e999}', '{"jitter": NaN}', '{"backoff": "2"}', "[]", "null"])
def test_what_comes_from_the_wire_is_read_strictly(raw: str) -> None:
    with pytest.raises(ValidationError):
        RetryPolicy.model_validate_json(raw)


def test_an_exception_is_named_by_its_class_or_by_its_name() -> None:
    """A name is what travels; subclasses are meant, too."""
    policy = RetryPolicy(non_retryable=(ValueError, "Timeout"))
    assert policy == RetryPolicy.of({"non_retryable": ["ValueError", "Timeout"]})
    assert policy.refuses(error_types(ValueError("no")))
    assert policy.refuses(error_types(UnicodeDecodeError("utf-8", b"", 0, 1, "no")))
    assert not policy.refuses(error_types(KeyError("no")))
    assert RetryPolicy(non_retryable=(Exception,)).refuses(error_types(KeyError("no")))
    assert error_types(SystemExit()) == ("SystemExit",)


def test_defaults_are_not_written() -> None:
    """Every run has a RunAcquired, and most teams have the defaults."""
    assert RetryPolicy().plain() == {}
    assert RetryPolicy(max_attempts=5).plain() == {"max_attempts": 5}
    assert RunAcquired(instance="c1").plain() == {"instance": "c1"}
    assert RunAcquired.of({"instance": "c1"}).retry == RetryPolicy()


CARD = '{"agent": "js", "version": "1", "name": "fetch", "inputs": {}, "output": {"type": "Page.v1"}%s}'


def test_a_foreign_agent_may_leave_out_how_its_skill_is_retried() -> None:
    card = SkillCard.model_validate_json(CARD % "")
    assert (card.retry, card.timeout) == (None, None)
    card = SkillCard.model_validate_json(CARD % ', "retry": {"max_attempts": 5, "unknown": 1}, "timeout": 30')
    assert (card.retry, card.timeout) == (RetryPolicy(max_attempts=5), 30.0)


@pytest.mark.parametrize(
    "more",
    [
        ', "timeout": 0',
        ', "timeout": -1',
        ', "timeout": 1e999',
        ', "timeout": "30"',
        ', "retry": {"max_attempts": 0}',
        ', "retry": {"initial_interval": -1}',
        ', "retry": 3',
    ],
)
def test_a_card_with_a_wrong_limit_is_not_read(more: str) -> None:
    """The agent counts as one without a card; nothing of it reaches the decider."""
    with pytest.raises(ValidationError):
        SkillCard.model_validate_json(CARD % more)
