"""The schedule of faults: the seed decides all of it."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from hustings.agents.chaos import schedule


@settings(derandomize=True, max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 80))
def test_the_same_seed_gives_the_same_schedule(seed: int, count: int) -> None:
    """So many faults, in order, within the time."""
    faults = schedule(seed, count, 100.0)
    assert faults == schedule(seed, count, 100.0)
    assert len(faults) == count
    assert [fault.at for fault in faults] == sorted(fault.at for fault in faults)
    assert all(0 <= fault.at <= 100.1 for fault in faults)


def test_everybody_is_hit_by_everything() -> None:
    """Specialists, coordinators and the broker; killed, terminated, put to sleep; sleep alone takes time."""
    faults = schedule(1, 2000, 100.0)
    hit = Counter((fault.victim, fault.kind) for fault in faults)
    assert len(hit) == 9
    assert min(hit.values()) > 20
    assert {fault.kind for fault in faults if fault.seconds} == {"pause"}
