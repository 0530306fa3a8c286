"""Which ended runs a limit lets go."""

import pytest

from hustings.agents.history.retention import expired, making_room

ENDED = {"d": 40.0, "a": 10.0, "c": 30.0, "b": 20.0}


@pytest.mark.parametrize(
    ("older", "keep", "gone"),
    [
        (None, None, ""),
        (60.0, None, "abc"),
        (70.0, None, "ab"),
        (1000.0, None, ""),
        (None, 4, ""),
        (None, 3, "a"),
        (None, 0, "abcd"),
        (None, 9, ""),
        (70.0, 3, "ab"),
        (90.0, 2, "ab"),
    ],
)
def test_each_limit_lets_those_go_that_ended_first(older: float | None, keep: int | None, gone: str) -> None:
    """At 100: those that ended more than `older` ago, all but the last `keep`; of two limits the stricter counts."""
    assert expired(ENDED, 100.0, older=older, keep=keep) == {*gone}


@pytest.mark.parametrize(("wanted", "gone"), [(0, ""), (1, "a"), (10, "a"), (11, "ab"), (31, "abc"), (999, "abcd")])
def test_room_is_made_by_as_few_runs_as_it_takes(wanted: float, gone: str) -> None:
    assert making_room(ENDED, {"a": 10, "b": 20, "c": 30, "d": 40}, wanted) == {*gone}
