"""Arbiters: what stands, what falls, and that the reasons given are true."""

import itertools
import re
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from hustings.agents import (
    Arbiter,
    Docket,
    evident,
    independent,
    keep,
    majority,
    prefer,
    rules,
    surest,
    unopposed,
    verified,
)
from hustings.agents.arbitration.docket import LookUp
from hustings.agents.arbitration.matters import Option, clash, group, options
from hustings.agents.arbitration.settling import settle
from hustings.agents.models.structured import shape_of
from hustings.protocols import Claim, Data, Evidence, Failure, Inquiry, Proposal, Ruling, Testimony, UsageError, Verdict
from hustings.protocols.verdicts import own_evidence

from ..sayings import PROPERTY, QUOTE, Said, by_id, claim, edit, ids, proposal, sayings


def silent(_: Inquiry) -> None:
    return None


def settled(items: Sequence[Said], *arbiters: Arbiter, answer: LookUp = silent) -> list[Verdict]:
    found = settle(group(items), by_id(items), arbiters, answer)
    assert all(isinstance(each, Verdict) for each in found), found
    return [each for each in found if isinstance(each, Verdict)]


def one(items: Sequence[Said], *arbiters: Arbiter, answer: LookUp = silent) -> Verdict:
    (verdict,) = settled(items, *arbiters, answer=answer)
    return verdict


def asked(items: Sequence[Said], *arbiters: Arbiter) -> list[Inquiry]:
    found = settle(group(items), by_id(items), arbiters, silent)
    assert all(isinstance(each, Inquiry) for each in found), found
    return [each for each in found if isinstance(each, Inquiry)]


def trial(holds: Sequence[str], falls: dict[str, str] | None = None) -> LookUp:
    answer: Data = {"holds": list(holds), "falls": dict(falls or {}), "because": "the tests ran"}
    return lambda _: answer


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("four", r"the rule newest raised ValueError: .*'four' \(test_arbitration.py:\d+\)"),
        ("nan", "returned nan, which is no"),
    ],
)
def test_a_rule_that_fails_is_named(value: str, says: str) -> None:
    """With the line of its file that raised."""

    def newest(option: Option) -> float:
        return float(value)

    items = [claim("x1", "ann", "397"), claim("x2", "bob", "412")]
    with pytest.raises(UsageError, match=says):
        settle(group(items), by_id(items), [rules(newest)], silent)


def test_what_returns_no_verdicts_is_no_arbiter() -> None:
    items = [claim("x1", "ann", "397"), claim("x2", "bob", "412")]
    bare: Any = lambda _: 1.0  # noqa: E731
    with pytest.raises(UsageError, match="<lambda> is no arbiter: it returned a float"):
        settle(group(items), by_id(items), [bare], silent)


# each arbiter


def test_unopposed_lets_stand_what_nobody_contests() -> None:
    """An uncontested matter stands whole, and says how many independent witnesses are behind it."""
    verdict = one([claim("i1", "ann", 1), claim("i2", "bob", 1)], unopposed)
    assert (verdict.decided, verdict.rule, verdict.value) == (True, "unopposed", 1)
    assert verdict.because == "said by ann, bob, 2 independent"
    assert ids(verdict.stands) == ["i1", "i2"]
    assert not one([claim("i1", "ann", 1), claim("i2", "bob", 2)], unopposed).decided


def test_independent_takes_the_surest_of_one_lineage() -> None:
    """Where only one lineage speaks, confidence decides, and then the smaller change; two lineages are not touched."""
    unsure = proposal("i1", "ann", edit(1, 2, "x"), lineage="L", confidence=0.5)
    sure = proposal("i2", "bob", edit(1, 2, "yyy"), lineage="L")
    small = proposal("i3", "cy", edit(1, 2, "z"), lineage="L")
    assert ids(one([unsure, sure], independent).stands) == ["i2"]
    assert ids(one([unsure, sure, small], independent).stands) == ["i3"]
    assert not one([unsure, proposal("i2", "bob", edit(1, 2, "y"))], independent).decided


def test_majority_counts_a_lineage_once() -> None:
    """Three tools on one engine are one witness: they do not outvote two that are independent, nor tie-break one."""
    engine = [claim(f"i{n}", by, 1, lineage="engine") for n, by in enumerate(("ann", "bob", "cy"))]
    others = [claim("i8", "dan", 2), claim("i9", "eve", 2)]
    verdict = one([*engine, *others], majority)
    assert verdict.value == 2
    assert verdict.weights == {"ann, bob, cy: 1": 1.0, "dan, eve: 2": 2.0}
    assert not one([*engine, others[0]], majority).decided


def test_a_tie_decides_nothing() -> None:
    """Equal numbers stay undecided, whatever the order or the names."""
    items = [claim("i1", "ann", 1), claim("i2", "bob", 2)]
    assert not one(items, unopposed, independent, majority).decided
    assert not one(items[::-1], majority).decided


def test_keep_goes_before_change_only_with_evidence() -> None:
    """Who defends what is there must show why."""
    change = proposal("i1", "ann", edit(1, 2, "x"))
    assert not one([change, proposal("i2", "bob", edit(1, 2, "old"))], rules(keep)).decided
    verdict = one([change, proposal("i2", "bob", edit(1, 2, "old"), proven=True)], rules(keep))
    assert (ids(verdict.stands), verdict.falls, verdict.rule) == (["i2"], ("i1",), "rule: keep")
    assert verdict.because == "A proposal to keep what is there, with evidence, wins over proposals to change it."
    assert verdict.evidence


def test_evident_surest_and_prefer() -> None:
    """Evidence, confidence, and the team's order of preference, each as a rule of its own."""
    plain, proven = claim("i1", "ann", 1), claim("i2", "bob", 2, proven=True)
    assert one([plain, proven], rules(evident)).value == 2
    assert one([plain.model_copy(update={"confidence": 0.4}), proven], rules(surest)).value == 2
    assert one([plain, proven], rules(prefer("cy", "ann", "bob"))).value == 1
    assert not one([plain, proven], rules(prefer("cy"))).decided


def test_rules_narrow_one_after_the_other() -> None:
    """A rule that cannot decide may still rule something out; the next one decides among what is left."""
    items = [
        claim("i1", "ann", 1, proven=True),
        claim("i2", "bob", 2, proven=True),
        claim("i3", "cy", 3),
        claim("i4", "dan", 3),
    ]
    assert one(items, majority).value == 3
    assert not one(items, rules(evident)).decided
    verdict = one(items, rules(evident, prefer("bob")))
    assert (verdict.value, verdict.rule) == (2, "rule: preferred")
    assert set(verdict.falls) == {"i1", "i3", "i4"}
    apart = one(items, rules(evident), rules(prefer("bob")))
    assert (apart.value, set(apart.falls)) == (2, {"i1", "i3", "i4"})
    assert not one(items, rules(evident), majority).decided, "what a rule has put out, a majority does not bring back"


def test_a_later_arbiter_may_overrule() -> None:
    """A custom arbiter is a plain function; the last word counts."""

    def none_of_it(docket: Docket) -> list[Verdict]:
        return [
            docket.tentative[m.id].model_copy(update={"stands": (), "falls": m.items, "rule": "none"})
            for m in docket.open
        ]

    verdict = one([claim("i1", "ann", 1)], unopposed, none_of_it)
    assert (verdict.rule, verdict.stands, verdict.falls) == ("none", (), ("i1",))


def test_undecided_shows_nothing_standing() -> None:
    """It falls as a whole for now, names the options and who said them, and how many witnesses each has."""
    verdict = one([claim("i1", "ann", 1), claim("i2", "bob", 2)])
    assert (verdict.decided, verdict.rule, verdict.stands, verdict.value) == (False, "undecided", (), None)
    assert verdict.falls == ("i1", "i2")
    assert verdict.because == "no rule of the policy tells ann: 1 and bob: 2 apart"
    assert verdict.weights == {"ann: 1": 1.0, "bob: 2": 1.0}
    assert [(each.by, each.says) for each in verdict.dissent] == [("ann", "1"), ("bob", "2")]


# proof

CHANGES = [
    proposal("i1", "ann", edit(1, 2, "x")),
    proposal("i2", "bob", edit(5, 6, "y")),
    proposal("i3", "cy", edit(9, 10, "old")),
    proposal("i4", "cy", edit(13, 14, "p")),
    proposal("i5", "dan", edit(13, 14, "q")),
]


def test_one_inquiry_proves_the_whole_docket() -> None:
    """All that would change anything is asked at once: not what keeps, not what fell already, nor claims."""
    (inquiry,) = asked([*CHANGES, claim("i6", "ann", 1)], unopposed, rules(prefer("cy")), verified("trial"))
    given_ = inquiry.given["proposals"]
    assert isinstance(given_, list)
    assert inquiry.skill == "trial"
    assert sorted(each["id"] for each in given_ if isinstance(each, dict)) == ["i1", "i2", "i4"]  # type: ignore[type-var]
    (again,) = asked([claim("i6", "ann", 1), *CHANGES[::-1]], unopposed, rules(prefer("cy")), verified("trial"))
    assert again.task == inquiry.task, "the same question, in whatever order its parts were said"


def test_culprits_fall_with_their_reason() -> None:
    """What holds stands with the proof as evidence; what does not falls, and the verdict says why."""
    answer = trial(["i1"], {"i2": "breaks test_two"})
    first, second, kept = settled(CHANGES[:3], unopposed, verified("trial"), answer=answer)
    assert (ids(first.stands), first.rule) == (["i1"], "unopposed")
    assert [(e.kind, e.says) for e in first.evidence] == [("trial", "the tests ran")]
    assert (second.stands, second.falls, second.rule) == ((), ("i2",), "verified")
    assert second.because == "breaks test_two"
    assert (ids(kept.stands), kept.evidence) == (["i3"], ())


def test_every_culprit_of_a_matter_is_named_with_its_reason() -> None:
    """Two that fall in one matter, for two reasons: the verdict has both."""
    items = [proposal("i1", "ann", edit(1, 2, "x")), proposal("i2", "bob", edit(2, 3, "y"))]
    verdict = one(items, unopposed, verified("trial"), answer=trial([], {"i1": "breaks one", "i2": "breaks two"}))
    assert verdict.because == "breaks one; breaks two"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            Failure(task="t", attempt=2, agent="p", kind="abandoned", because="nobody offers trial"),
            "nobody offers trial",
        ),
        ({}, "not a Trial"),
        ({"holds": "i1"}, "not a Trial"),
        ({"holds": [], "falls": {}}, "does not name it"),
        ({"holds": ["i7"], "falls": {}}, "does not name it"),
        ({"holds": ["i1"], "falls": {"i1": "guilty after all"}}, "guilty after all"),
    ],
)
def test_without_proof_nothing_unproved_stands(answer: Data | Failure, words: str) -> None:
    """A failure, nonsense, an answer that leaves an id out or names it on both sides: it fails closed, and says so."""
    changed, kept = settled([CHANGES[0], CHANGES[2]], unopposed, verified("trial"), answer=lambda _: answer)
    assert (changed.stands, changed.falls, changed.rule) == ((), ("i1",), "verified")
    assert words in changed.because
    assert ids(kept.stands) == ["i3"]


def test_nothing_to_prove_asks_nobody() -> None:
    """Claims, and proposals to keep, need no trial."""
    assert len(settled([CHANGES[2], claim("i6", "ann", 1)], unopposed, verified("trial"))) == 2


# what is said of a verdict is true


def test_margin_is_the_lead_of_what_stands_over_what_it_displaced() -> None:
    """The narrowest lead counts, between options that cannot both stand; those that can are no rivals."""
    long = [proposal(f"i{n}", by, edit(0, 10, "x")) for n, by in enumerate(("ann", "bob", "cy"))]
    short = [proposal("i7", "dan", edit(1, 2, "y")), proposal("i8", "eve", edit(8, 9, "z"))]
    verdict = one([*long, *short, proposal("i9", "fay", edit(8, 9, "z"))], majority)
    assert verdict.margin == 1.0
    assert verdict.flips == "2 more independent witnesses for eve, fay: z at a.py:9"


def test_options_of_one_author_keep_their_weights_apart() -> None:
    """Two deletions by one tool in one matter are two options, under two words."""
    items = [
        proposal("i1", "ann", edit(1, 2, "")),
        proposal("i2", "ann", edit(3, 4, "")),
        proposal("i3", "bob", edit(0, 9, "x")),
        proposal("i4", "cy", edit(0, 9, "x")),
    ]
    assert len(one(items, majority).weights) == 3


@PROPERTY
@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=2, max_size=8))
def test_flips_of_a_majority_says_what_would_have_flipped_it(votes: list[tuple[int, bool]]) -> None:
    """With as many further witnesses as it says the other option stands; with one less it does not."""
    items: list[Said] = [
        claim(f"i{n}", f"agent{n}", value, lineage="shared" if shared else "")
        for n, (value, shared) in enumerate(votes)
    ]
    verdict = settled(items, majority)[0]
    found = re.fullmatch(r"(\d+) more independent witness(?:es)? for (.*): (\d)", verdict.flips)
    if not verdict.decided or not found:
        assert "more independent" not in verdict.flips
        return
    value = int(found[3])
    more = [claim(f"n{n}", f"new{n}", value) for n in range(int(found[1]))]
    assert one([*items, *more], majority).value == value
    assert one([*items, *more[1:]], majority).value != value


@PROPERTY
@given(sayings())
def test_dissent_names_whoever_fell(items: list[Said]) -> None:
    """Every item that fell has its author's words in the dissent, and nothing that stands has."""
    said = by_id(items)
    for verdict in settled(items, unopposed, independent, rules(keep, evident), majority):
        assert tuple(each.item for each in verdict.dissent) == verdict.falls
        assert all(each.by == said[each.item].by for each in verdict.dissent)


# whatever the policy

ARBITERS: list[Arbiter] = [
    unopposed,
    independent,
    majority,
    rules(keep),
    rules(evident, surest),
    rules(prefer("bob"), surest),
    verified("trial"),
]


def prover(seed: int) -> LookUp:
    """A trial that finds some changes guilty, the same ones whenever it is asked."""

    def answer(inquiry: Inquiry) -> Data:
        asked_ = inquiry.given["proposals"]
        assert isinstance(asked_, list)
        names = [str(each["id"]) for each in asked_ if isinstance(each, dict)]
        guilty = [name for name in names if Random(f"{seed}{name}").random() < 0.3]
        holds: list[JsonValue] = [name for name in names if name not in guilty]
        return {"holds": holds, "falls": dict.fromkeys(guilty, "guilty")}

    return answer


@PROPERTY
@given(sayings(), st.lists(st.sampled_from(ARBITERS), max_size=5), st.integers(0, 9))
def test_every_verdict_parts_its_matter_and_nothing_that_stands_clashes(
    items: list[Said], policy: list[Arbiter], seed: int
) -> None:
    """Under any list of arbiters: one verdict a matter, stands and falls are all its items, and all that stands can."""
    matters = group(items)
    verdicts = settled(items, *policy, answer=prover(seed))
    assert [verdict.matter for verdict in verdicts] == [matter.id for matter in matters]
    for matter, verdict in zip(matters, verdicts, strict=True):
        assert sorted([*ids(verdict.stands), *verdict.falls]) == sorted(matter.items)
        for first, second in itertools.combinations(options(verdict.stands), 2):
            assert not clash(first, second)
        assert verdict.decided or not verdict.stands


@PROPERTY
@given(sayings(), st.lists(st.sampled_from(ARBITERS), max_size=4), st.integers(0, 9), st.randoms(use_true_random=False))
def test_verdicts_do_not_depend_on_the_order_of_what_was_said(
    items: list[Said], policy: list[Arbiter], seed: int, chance: Random
) -> None:
    """Shuffled testimony gives the very same verdicts, words and weights included."""
    shuffled = chance.sample(items, len(items))
    assert settled(items, *policy, answer=prover(seed)) == settled(shuffled, *policy, answer=prover(seed))


EVIDENCE = st.lists(st.sampled_from([QUOTE, Evidence(kind="trial", says="it holds")]), max_size=3).map(tuple)


@PROPERTY
@given(sayings(), st.lists(st.sampled_from(ARBITERS), max_size=5), st.integers(0, 9), st.none() | EVIDENCE)
def test_a_ruling_joined_with_its_matter_and_items_is_the_verdict(
    items: list[Said], policy: list[Arbiter], seed: int, other: tuple[Evidence, ...] | None
) -> None:
    """What lies on the log, read back and joined, is what the arbiters gave, whatever evidence they put there."""
    verdicts = settled(items, *policy, answer=prover(seed))
    for matter, reply in zip(group(items), verdicts, strict=True):
        verdict = reply if other is None else reply.model_copy(update={"evidence": other})
        read = Ruling.of(Ruling.on(verdict).plain())
        assert read.verdict(matter, by_id(items)) == verdict


def test_nothing_stands_that_nobody_said() -> None:
    """An arbiter that changes an item, or invents one, raises: its verdict could not be found on the log."""
    said = claim("a.0", "ann", 1)
    for made_up in (said.model_copy(update={"value": 2}), said.model_copy(update={"id": "a.1"})):
        verdict = Verdict(
            matter="M-1", kind="claim", about="key", decided=True, rule="r", because="b", stands=(made_up,)
        )
        with pytest.raises(ValueError, match="nobody said"):
            settle(group([said]), by_id([said]), [lambda _, verdict=verdict: [verdict]], lambda _: None)  # type: ignore[misc]


@PROPERTY
@given(sayings(), st.integers(0, 9))
def test_nothing_unproved_stands_where_proof_comes_last(items: list[Said], seed: int) -> None:
    """With `verified` at the end, each change that stands was found to hold; without an answer none stands."""
    policy = (unopposed, independent, rules(keep, evident), majority, verified("trial"))
    proofs: list[Inquiry] = []

    def recorded(inquiry: Inquiry) -> Data | Failure | None:
        proofs.append(inquiry)
        return prover(seed)(inquiry)

    standing = [item for v in settled(items, *policy, answer=recorded) for item in v.stands]
    assert len(proofs) <= 1
    guilty = {item.id for item in standing if Random(f"{seed}{item.id}").random() < 0.3}
    firsts = {choice.first.id for choice in options(i for i in standing if isinstance(i, Proposal) and not i.keeps)}
    assert not guilty & firsts
    failed = Failure(task="t", attempt=1, agent="", kind="abandoned", because="nobody")
    for verdict in settled(items, *policy, answer=lambda _: failed):
        assert all(not isinstance(item, Proposal) or item.keeps for item in verdict.stands)


def test_evidence_has_data_of_its_own() -> None:
    """Equal pieces count once in a verdict, others not; without data it is written as ever, and no model is asked for
    data, so the schema of a testimony stays one that a server can enforce."""
    timed = [Evidence(kind="measurement", says="7", data={"at": at}) for at in (1.0, 1.0, 2.0)]
    assert own_evidence([Claim(about="load", value=7, evidence=tuple(timed))]) == (timed[0], timed[2])
    assert Evidence(kind="measurement", says="7").plain() == {"kind": "measurement", "says": "7", "source": ""}
    assert shape_of(Testimony) is not None
