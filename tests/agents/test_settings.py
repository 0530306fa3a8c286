"""Settings: each stands in one place, and a value that cannot be meant is refused when the team is made."""

import math
from dataclasses import fields
from typing import Any

import pytest

from hustings.agents import (
    DraftPlan,
    ModelRule,
    PlanRequest,
    Policy,
    Specialist,
    Team,
    by_model,
    judged,
    prefer,
    rules,
    surest,
    verified,
)
from hustings.agents.decider.policy import TeamSettings
from hustings.agents.settings import mentions, settings_of
from hustings.agents.team import brief_of, members_of
from hustings.protocols import Budget, Goal, Inquiry, Outcome, Proposal, RetryPolicy, Trial, UsageError


class Ask(Goal): ...


class Said(Outcome): ...


ELSEWHERE = Inquiry(skill="plan", given={})
OTHER: dict[str, Any] = {
    "planner": lambda _: ELSEWHERE,
    "arbiters": (rules(surest),),
    "prefer": (),
    "open": False,
    "retry": RetryPolicy(max_attempts=7),
    "heartbeat_timeout": 8.5,
    "attempt_timeout": 9.0,
    "discovery_timeout": 11.0,
    "undecided": "stop",
    "max_open_tasks": 12,
    "budget": Budget(calls=13),
    "exhausted": "partial",
    "record": "hash",
    "retention": 14.0,
    "max_runs": 15,
    "discard": "old",
}


def test_a_setting_is_declared_once() -> None:
    """Neither Team nor Policy repeats one, and each says what it means."""
    shared = set(TeamSettings.__annotations__)
    assert not shared & {*Team.__annotations__, *Policy.__annotations__}
    assert all(setting.meaning for setting in settings_of(Team))
    assert {s.name: s.unit for s in settings_of(Team)}["attempt_timeout"] == "seconds"


def test_each_setting_of_a_team_reaches_its_coordinator() -> None:
    """Of the planner what it answers, because a plan also gets what the arbiters ask."""
    team = Team("office", Ask, Said, **OTHER)
    policy = team.policy()
    got = {each.name: getattr(policy, each.name) for each in fields(TeamSettings)}
    assert got.pop("planner")(brief_of(team, members_of(team))) is ELSEWHERE
    assert got == {name: value for name, value in OTHER.items() if name != "planner"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"retry": 3}, "retry cannot be 3.*an object"),
        ({"retry": {"max_attempts": 0}}, "retry cannot be .*max_attempts must be at least 1"),
        ({"attempt_timeout": -1}, "attempt_timeout cannot be -1.*more than 0"),
        ({"heartbeat_timeout": 0}, "heartbeat_timeout cannot be 0.*more than 0"),
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
        ({"budget": {"calls": -1}}, "budget cannot be .*at least 0"),
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


prover = Specialist("prover")


@prover.skill
def trial(asked: Ask) -> Trial:
    return Trial(holds=(), falls={}, because=str(asked))


planning = Specialist("planning")


@planning.skill
def draft(request: PlanRequest, asked: Ask) -> DraftPlan:
    return DraftPlan(steps=(), outcome=(), because=f"{request} {asked}")


notary = Specialist("notary")


@notary.skill
def prove(proposals: list[Proposal], asked: Ask) -> Trial:
    return Trial(holds=(), falls={}, because=f"{proposals} {asked}")


@mentions("*.oracle")
def oracular(docket: object) -> list[Any]:
    """An arbiter of somebody's own."""
    return [docket]


MISSPELT: list[tuple[dict[str, Any], str, str]] = [
    ({"arbiters": [verified("trail")]}, "no skill trail: `arbiters` names it; there is trial", "Did you mean trial?"),
    ({"arbiters": [judged("juge")]}, "no skill juge", 'outsiders=["*.juge"]'),
    ({"arbiters": [oracular]}, "no skill oracle", 'outsiders=["*.oracle"]'),
    ({"arbiters": [rules(surest, prefer("prove"))]}, "no specialist prove: `arbiters`", "Did you mean prover?"),
    ({"planner": by_model("plan")}, "no skill plan: `planner` names it", 'outsiders=["*.plan"]'),
    ({"planner": by_model("trial", fallback=by_model("trail"))}, "no skill trail", "Did you mean trial?"),
    ({"prefer": ["provr"]}, "no specialist provr: `prefer` names it; there is prover", "Did you mean prover?"),
    ({"models": [ModelRule("nobody.*", ["a:b"])]}, "no specialist nobody: `models`", 'outsiders=["nobody.*"]'),
    ({"models": [ModelRule("prover.trail", ["a:b"])]}, "no skill prover.trail", "Did you mean prover.trial?"),
    ({"models": [ModelRule("prover", ["a:b"])]}, "no skill prover", 'outsiders=["prover"]'),
]


@pytest.mark.parametrize(("given", "says", "hint"), MISSPELT)
def test_a_name_that_no_member_has_is_refused(given: dict[str, Any], says: str, hint: str) -> None:
    """The error says which setting names it and what there is; its hint has what looks alike, and the way out."""
    with pytest.raises(UsageError) as refused:
        Team("office", Ask, Said, [prover], **given)
    assert says in str(refused.value)
    assert hint in refused.value.hint


@pytest.mark.parametrize(("given", "says", "hint"), MISSPELT[:-1])
def test_what_only_another_team_offers_has_to_be_said(given: dict[str, Any], says: str, hint: str) -> None:
    """`outsiders` names it, and an open team is made; a closed team cannot have it, and is told so."""
    outsiders = ["*.trail", "*.juge", "*.oracle", "prove.*", "*.plan", "provr.*", "nobody.*", "prover.tr*"]
    assert Team("office", Ask, Said, [prover], outsiders=outsiders, **given).outsiders == outsiders
    with pytest.raises(UsageError, match="not open"):
        Team("office", Ask, Said, [prover], outsiders=outsiders, open=False, **given)
    with pytest.raises(UsageError) as closed:
        Team("office", Ask, Said, [prover], open=False, **given)
    assert "outsiders" not in closed.value.hint


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"arbiters": [judged("trial")]}, "arbiters: judged needs trial(case: Case) -> Judgement, but it is trial(as"),
        ({"arbiters": [verified("trial")]}, "verified needs trial(proposals: list[Proposal]) -> Trial, but it is"),
        ({"planner": by_model("trial")}, "planner: by_model needs trial(request: PlanRequest) -> DraftPlan, but it is"),
        ({"planner": by_model("draft", fallback=by_model("trial"))}, "planner: by_model needs trial(request"),
    ],
)
def test_a_skill_that_does_not_fit_is_refused(given: dict[str, Any], says: str) -> None:
    """Otherwise a run would wait for a fitting skill, and end undecided. Another team's skill may fit."""
    with pytest.raises(UsageError) as refused:
        Team("office", Ask, Said, [prover, planning], **given)
    assert says in str(refused.value)
    assert "trial(asked: Ask) -> Trial" in str(refused.value)
    Team("office", Ask, Said, [prover, planning], outsiders=["*.trial"], **given)


def test_a_closed_team_has_who_fills_its_outcome() -> None:
    """Nobody else may join, so no run could have a plan. An open team waits for others; so does one whose members have
    their skills elsewhere."""

    class Tried(Outcome):
        plan: DraftPlan

    with pytest.raises(UsageError, match=r"team office: no skill can fill outcome.plan \(hustings.DraftPlan.v1\)"):
        Team("office", Ask, Tried, [prover], open=False)
    Team("office", Ask, Tried, [prover])
    Team("office", Ask, Tried, [prover, Specialist("elsewhere")], open=False)


@pytest.mark.parametrize("rule", [surest, prefer("clerk")])
def test_a_rule_is_no_arbiter(rule: Any) -> None:
    with pytest.raises(UsageError, match="is a rule, not an arbiter") as refused:
        Team("office", Ask, Said, arbiters=[rule])
    assert refused.value.hint == f"Write `rules({rule.__name__})`."
    with pytest.raises(UsageError, match="has no rule"):
        rules()


def test_names_that_are_there_are_accepted() -> None:
    """Members, their skills, and wildcards; of an outsider any skill, if no skill is said."""
    team = Team(
        "office",
        Ask,
        Said,
        [prover, Specialist("clerk"), planning, notary],
        planner=by_model("draft"),
        arbiters=[rules(prefer("clerk", "ann")), verified("prove")],
        prefer=["prover"],
        models=[ModelRule(who, ["a:b"]) for who in ("prover.*", "*.trial", "pro*.tri*", "ann.say", "ann.*", "*")],
        outsiders=["ann.say"],
    )
    assert team.members == ("prover", "clerk", "planning", "notary")
    assert Team("empty", Ask, Said, models=[ModelRule("*", ["a:b"])]).members == ()


@pytest.mark.parametrize("word", ["ann", "ann.", ".say", "ann say", ""])
def test_an_outsider_is_named_with_its_skill(word: str) -> None:
    with pytest.raises(UsageError, match="outsiders cannot be"):
        Team("office", Ask, Said, outsiders=[word])


@pytest.mark.parametrize("quality", [-0.1, 1.1, math.nan])
def test_a_rule_for_models_is_checked_when_it_is_made(quality: float) -> None:
    with pytest.raises(UsageError, match="quality cannot be"):
        ModelRule("*", ["a:b"], quality=quality)
    with pytest.raises(UsageError, match="by cannot be 'prize'") as spelt:
        ModelRule("*", ["a:b"], by="prize")  # type: ignore[arg-type]
    assert spelt.value.hint.startswith("Did you mean price? ")
    with pytest.raises(UsageError, match="no model serves"):
        ModelRule("*", [])
