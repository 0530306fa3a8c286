"""Conflicts: each matter for people: the sides and what each says, the verdict, the proof. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from pydantic import ValidationError

from hustings.protocols import Claim, Data, Evidence, Failure, Matter, Message, Proposal, Trial, Verdict
from hustings.protocols.verdicts import MatterKind

from ..arbitration.matters import Option, Said, options
from ..decider.state import BarrierState, RunState

BRIEF = 60  # characters shown of a side's statement


class Source(Message, contract="hustings.cli.Source.v1"):
    """One independent witness: agents whose statements share a lineage count once."""

    lineage: str
    agents: tuple[str, ...]


class Side(Message, contract="hustings.cli.Side.v1"):
    """One way to settle the matter: `says` in a few words, the items of its agents, and whether it stands."""

    letter: str
    says: str
    stands: bool
    sources: tuple[Source, ...]
    items: tuple[Claim | Proposal, ...]

    @property
    def agents(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(item.by for item in self.items))


class Proving(Message, contract="hustings.cli.Proving.v1"):
    """The proof of a barrier: the agent that was asked, and why items of one matter fell, by item id."""

    task: str
    agent: str
    seconds: float
    because: str
    rejects: dict[str, str] = {}
    proof: Data = {}


class Case(Message, contract="hustings.cli.Case.v1"):
    """One matter with everything known about it. Without a verdict it is not settled yet."""

    matter: str
    kind: MatterKind
    about: str
    contested: bool
    barrier: str
    sides: tuple[Side, ...]
    verdict: Verdict | None = None
    proving: Proving | None = None

    @property
    def rule(self) -> str:
        return self.verdict.rule if self.verdict else ""

    @property
    def rejected(self) -> bool:
        """True if a proof rejected something of it."""
        return self.rule == "verified"

    @property
    def undecided(self) -> bool:
        return self.verdict is None or not self.verdict.decided

    @property
    def place(self) -> str:
        """What it is about, for people: the line number without leading zeros."""
        path, _, line = self.about.rpartition(":")
        return f"{path}:{int(line)}" if path and line.isdecimal() else self.about

    @property
    def resource(self) -> str:
        """The file its proposals would change, or the part before the last colon of what its claims are about."""
        return self.about.rpartition(":")[0] or self.about


def cases(state: RunState, took: Mapping[str, float]) -> tuple[Case, ...]:
    """Every matter of a run, conflicts first, in the order of their numbers; `took` has the seconds of inquiries."""
    found: list[Case] = []
    for name, barrier in state.barriers.items():
        verdicts = {verdict.matter: verdict for verdict in barrier.verdicts}
        provings = _provings(state, name, took)
        found += [_case(name, barrier, matter, verdicts.get(matter.id), provings) for matter in barrier.matters]
    return tuple(sorted(found, key=lambda case: (not case.contested, _number(case.matter))))


def witnesses(sides: Iterable[Side]) -> tuple[Source, ...]:
    """The independent witnesses of some sides together."""
    return _sources((source.lineage, agent) for side in sides for source in side.sources for agent in source.agents)


def counted_once(case: Case) -> tuple[Source, ...]:
    """The lineages in a conflict that several agents share."""
    return tuple(source for source in witnesses(case.sides) if len(source.agents) > 1)


def people(sources: Iterable[Source]) -> str:
    """The agents, grouped by lineage: "api_guard, autoflake = ruff (pyflakes)"."""
    return ", ".join(map(_together, sources)) or "nobody"


def versus(case: Case) -> str:
    """The agents of each side; where several agree, with the number of independent witnesses."""
    standing = [side for side in case.sides if side.stands]
    fallen = [side for side in case.sides if not side.stands]
    groups = [standing, fallen] if standing and fallen else [[side] for side in case.sides]
    return " against ".join(_camp(group) for group in groups)


def _camp(sides: Sequence[Side]) -> str:
    agents = ", ".join(dict.fromkeys(agent for side in sides for agent in sorted(side.agents)))
    count = len(witnesses(sides))
    return agents if count == 1 and "," not in agents else f"{agents} ({count})"


def _together(source: Source) -> str:
    names = " = ".join(source.agents)
    return f"{names} ({source.lineage})" if len(source.agents) > 1 or source.lineage not in source.agents else names


def gathered(found: Iterable[Evidence]) -> list[tuple[str, str, list[str]]]:
    """Evidence by kind and text; equal evidence once, with all its sources."""
    sources: dict[tuple[str, str], dict[str, None]] = {}
    for each in found:
        sources.setdefault((each.kind, each.says), {}).update({each.source: None} if each.source else {})
    return [(kind, says, list(where)) for (kind, says), where in sources.items()]


def lettered(number: int) -> str:
    """A, B, ... Z, AA, AB: the name of a side by its place."""
    word = ""
    while number >= 0:
        number, rest = divmod(number, 26)
        word, number = chr(65 + rest) + word, number - 1
    return word


def _case(
    barrier: str, state: BarrierState, matter: Matter, verdict: Verdict | None, provings: Sequence[Proving]
) -> Case:
    said = [state.items[item] for item in matter.items if item in state.items]
    standing = {item.id for item in verdict.stands} if verdict else set()
    choices = sorted(options(said), key=lambda choice: choice.first.id not in standing)
    return Case(
        matter=matter.id,
        kind=matter.kind,
        about=matter.about,
        contested=matter.contested,
        barrier=barrier,
        sides=tuple(_side(lettered(n), choice, standing) for n, choice in enumerate(choices)),
        verdict=verdict,
        proving=_about(provings, matter) if verdict else None,
    )


def _side(letter: str, choice: Option, standing: set[str]) -> Side:
    return Side(
        letter=letter,
        says=brief(choice.first),
        stands=choice.first.id in standing,
        sources=_sources((item.source, item.by) for item in choice.items),
        items=choice.items,
    )


def brief(item: Said) -> str:
    """What an item says, in a few words."""
    if isinstance(item, Claim):
        return _cut(item.value if isinstance(item.value, str) else _json(item))
    if not item.edits:
        return "change nothing"
    edit = item.edits[0]
    was, text = _line(edit.was), _line(edit.text)
    more = f" and {len(item.edits) - 1} more" if len(item.edits) > 1 else ""
    if item.keeps:
        return f"keep {was}{more}"
    return (text if text else f"delete {was}") + more


def _json(item: Claim) -> str:
    return item.model_dump_json(include={"value"}).removeprefix('{"value":').removesuffix("}")


def _line(text: str) -> str:
    return _cut(" ".join(text.split()))


def _cut(text: str) -> str:
    return text if len(text) <= BRIEF else text[: BRIEF - 1] + "…"


def _sources(pairs: Iterable[tuple[str, str]]) -> tuple[Source, ...]:
    agents: dict[str, set[str]] = defaultdict(set)
    for lineage, agent in pairs:
        agents[lineage].add(agent)
    return tuple(Source(lineage=lineage, agents=tuple(sorted(agents[lineage]))) for lineage in sorted(agents))


def _provings(state: RunState, barrier: str, took: Mapping[str, float]) -> list[Proving]:
    """Every inquiry of a barrier that was answered with a Trial, or got no answer."""
    asked = [(name, task) for name, task in state.tasks.items() if task.asked_by == barrier and name in state.answers]
    trials = [(name, task, _trial(state.answers[name])) for name, task in asked]
    return [
        Proving(
            task=name,
            agent=task.agent,
            seconds=took.get(name, 0.0),
            because=trial.because,
            rejects=trial.falls,
            proof=trial.proof,
        )
        for name, task, trial in trials
        if trial
    ]


def _trial(answer: object) -> Trial | None:
    if isinstance(answer, Failure):
        return Trial(holds=(), falls={}, because=f"{answer.agent or 'no agent'} did not prove it: {answer.because}")
    try:
        return Trial.of(answer)  # type: ignore[arg-type]  # an answer on the log is JSON
    except ValidationError:
        return None


def _about(provings: Sequence[Proving], matter: Matter) -> Proving | None:
    """The last proof, cut down to the items of this matter."""
    if not provings or matter.kind in ("claim", "contradiction"):
        return None
    rejects = {item: why for item, why in provings[-1].rejects.items() if item in matter.items}
    return provings[-1].model_copy(update={"rejects": rejects})


def _number(name: str) -> tuple[int, str]:
    digits = name.rpartition("-")[2]
    return (int(digits) if digits.isdecimal() else 0), name
