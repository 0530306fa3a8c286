"""Settings: each stands in one place, and a value that cannot be meant is refused when the team is made."""

import math
from dataclasses import fields
from typing import Any

import pytest

from hustings.agents import Policy, Team, by_contract, rules, surest
from hustings.agents.decider.policy import TeamSettings
from hustings.agents.settings import settings_of
from hustings.protocols import Budget, Goal, Outcome, UsageError


class Ask(Goal): ...


class Said(Outcome): ...


OTHER: dict[str, Any] = {
    "planner": lambda brief: by_contract(brief),
    "arbiters": (rules(surest),),
    "prefer": (),
    "open": False,
    "attempts": 7,
    "heartbeat_timeout": 8.5,
    "attempt_timeout": 9.0,
    "discovery_timeout": 11.0,
    "undecided": "stop",
    "max_open_tasks": 12,
    "budget": Budget(calls=13),
    "exhausted": "partial",
}


def test_a_setting_is_declared_once() -> None:
    """Neither Team nor Policy repeats one, and each says what it means."""
    shared = set(TeamSettings.__annotations__)
    assert not shared & {*Team.__annotations__, *Policy.__annotations__}
    assert all(setting.meaning for setting in settings_of(Team))
    assert {s.name: s.unit for s in settings_of(Team)}["attempt_timeout"] == "seconds"


def test_each_setting_of_a_team_reaches_its_coordinator() -> None:
    policy = Team("office", Ask, Said, **OTHER).policy()
    assert {each.name: getattr(policy, each.name) for each in fields(TeamSettings)} == OTHER


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"attempts": 0}, "attempts cannot be 0.*greater than or equal to 1"),
        ({"attempts": 1.5}, "attempts cannot be 1.5"),
        ({"attempts": True}, "attempts cannot be True"),
        ({"attempt_timeout": -1}, "attempt_timeout cannot be -1.*greater than 0"),
        ({"heartbeat_timeout": 0}, "heartbeat_timeout cannot be 0.*greater than 0"),
        ({"heartbeat_timeout": math.nan}, "heartbeat_timeout cannot be nan.*finite"),
        ({"discovery_timeout": math.inf}, "discovery_timeout cannot be inf.*finite"),
        ({"max_open_tasks": 0}, "max_open_tasks cannot be 0"),
        ({"exhausted": "cheeper"}, "exhausted cannot be 'cheeper'.*'cheaper', 'partial' or 'stop'"),
        ({"undecided": "wait"}, "undecided cannot be 'wait'.*'proceed' or 'stop'"),
        ({"prefer": "ruff"}, "prefer cannot be 'ruff'"),
        ({"open": "no"}, "open cannot be 'no'"),
        ({"specialists": [Ask]}, "specialists cannot be .*instance of Specialist"),
        ({"arbiters": ["majority"]}, "arbiters cannot be .*callable"),
        ({"goal": Said}, "goal cannot be .*subclass of Goal"),
        ({"budget": {"calls": -1}}, "budget cannot be .*greater than or equal to 0"),
        ({"tell": "all"}, "tell cannot be 'all'.*callable"),
    ],
)
def test_a_value_out_of_bounds_is_refused_when_the_team_is_made(given: dict[str, Any], says: str) -> None:
    """The error names the setting, the value, and what may be given; its hint says what the setting means."""
    with pytest.raises(UsageError, match=says) as refused:
        Team(**{"name": "office", "goal": Ask, "outcome": Said, **given})
    assert f"{next(iter(given))}: " in refused.value.hint


def test_the_hint_has_the_unit_the_default_and_the_word_that_looks_alike() -> None:
    with pytest.raises(UsageError) as late:
        Team("office", Ask, Said, attempt_timeout=-1)
    assert late.value.hint.endswith("in seconds (default 300.0).")
    with pytest.raises(UsageError) as spelt:
        Team("office", Ask, Said, exhausted="cheeper")  # type: ignore[arg-type]
    assert spelt.value.hint.startswith("Did you mean cheaper? ")


def test_a_list_that_is_changed_later_does_not_change_the_team() -> None:
    """A team is a value."""
    names = ["ann"]
    team = Policy(goal=Ask, outcome=Said, prefer=names)
    names.append("bob")
    assert team.prefer == ["ann"]
