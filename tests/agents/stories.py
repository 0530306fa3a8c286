"""Runs to be told: a small review board that fails, disagrees and is proved, with texts of anybody's choice."""

from collections.abc import Sequence

from pydantic import JsonValue

from hustings.agents import Policy, independent, keep, majority, rules, unopposed, verified
from hustings.agents.history.timeline import Timeline, timeline_of
from hustings.protocols import Claim, Data, Edit, Evidence, Goal, Message, Outcome, Proposal, Verdict

from .simulation import AT_ONCE, Simulation, card

Said = Claim | Proposal

PATCH = "--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n-old {0}\n+new {0}\n same\n"
CARDS = [
    card("ruff", "check", "Findings.v1", witness=True, text="Text.v1"),
    card("flake", "check", "Findings.v1", witness=True, text="Text.v1"),
    card("guard", "check", "Findings.v1", witness=True, text="Text.v1"),
    card("scribe", "draft", "Patch.v1", text="Text.v1", verdicts="[hustings.Verdict.v1]"),
    card("prover", "prove", "Proven.v1", text="Text.v1", patch="Patch.v1"),
    card("prover", "trial", "hustings.Trial.v1", text="Text.v1", proposals="[hustings.Proposal.v1]"),
]
ARBITERS = (unopposed, independent, rules(keep), majority, verified("trial"))


class Text(Message):
    words: str


class Ask(Goal):
    text: Text


class Patch(Message):
    diff: str


class Proven(Message):
    holds: bool


class Reviewed(Outcome):
    patch: Patch
    proof: Proven
    verdicts: list[Verdict]


def change(line: int, text: str, *, was: str = "old", resource: str = "a.py", **rest: object) -> Proposal:
    edit = Edit(resource=resource, base="b1", start=line, end=line + 1, was=f"{was}\n", text=f"{text}\n")
    return Proposal.model_validate({"edits": (edit,), **rest})


def board(words: str = "text") -> dict[str, list[Said]]:
    """Two of one lineage against a guard with evidence; an edit that breaks a test; two claims that differ."""
    quote = Evidence(kind="source", says=f"others import it {words}", source=f"b.py:3{words}")
    return {
        "ruff": [
            change(1, f"new {words}", because=f"unused {words}", lineage="pyflakes"),
            change(9, f"bad {words}", because=words),
            Claim(about=f"a.py:risk{words}", value=f"high {words}", because=words),
        ],
        "flake": [
            change(1, f"new {words}", because=f"unused {words}", lineage="pyflakes"),
            Claim(about=f"a.py:risk{words}", value={"low": [words]}),
        ],
        "guard": [
            change(1, f"old {words}", was=f"old {words}", evidence=(quote,)),
            change(20, f"fine {words}", resource=f"{words}b.py"),
        ],
    }


def play(said: dict[str, list[Said]], words: str = "text") -> Simulation:
    """A run in which these witnesses say this; the prover finds whoever writes "bad" guilty."""

    def findings(items: Sequence[Said]) -> Data:
        claims: list[JsonValue] = [item.plain() for item in items if isinstance(item, Claim)]
        proposals: list[JsonValue] = [item.plain() for item in items if isinstance(item, Proposal)]
        return {"claims": claims, "proposals": proposals}

    def trial(given: Data) -> JsonValue:
        asked = given["proposals"]
        assert isinstance(asked, list)
        proposals = [Proposal.of(each) for each in asked]
        guilty = {each.id: f"breaks test_it {words}" for each in proposals if "bad" in each.edits[0].text}
        return {
            "holds": [each.id for each in proposals if each.id not in guilty],
            "falls": dict(guilty),
            "proof": {"runs": words},
            "because": f"{len(guilty)} of {len(proposals)} break something {words}",
        }

    answers = {name: findings(items) for name, items in said.items()}
    counts: Data = {"passed": 2, "failed": 0}
    gap: Data = {"kind": "could not run", "why": f"it is not here {words}", "count": 3, "names": [f"test_it {words}"]}
    proof: Data = {"holds": True, "because": f"nothing broke {words}", "how": f"`pytest` {words}", "gaps": [gap]}
    proof |= {"before": counts, "after": counts}
    simulation = Simulation(
        Policy(
            goal=Ask,
            outcome=Reviewed,
            members=tuple(dict.fromkeys(c.agent for c in CARDS)),
            arbiters=ARBITERS,
            retry=AT_ONCE,
        ),
        CARDS,
        {
            **{f"{name}.check": (lambda _, name=name: answers[name]) for name in said},  # type: ignore[misc]
            "draft": lambda _: {"diff": PATCH.format(words)},
            "prove": lambda _: proof,
            "trial": trial,
        },
    )
    simulation.run({"text": {"words": words}}, "Ask.v1")
    return simulation


def story(said: dict[str, list[Said]] | None = None, words: str = "text") -> Timeline:
    return timeline_of("board", "r1", play(said if said is not None else board(words), words).log)
