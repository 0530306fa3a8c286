"""rules: the arbiter that applies rules in order, and ready-made rules."""

from collections.abc import Callable, Iterator

from hustings.protocols import Verdict

from ..settings import mentioned, mentions
from .docket import Arbiter, Docket, Rule
from .matters import Option
from .verdict import ranked


def rules(*order: Rule) -> Arbiter:
    """Settle by rules, one after the other. A rule gives each option a number; of two that clash the higher stands.

    A rule's name and docstring become the verdict's reason.
    """

    @mentions(*mentioned(*order))
    def by_rule(docket: Docket) -> Iterator[Verdict]:
        for matter in docket.contested():
            view = docket
            for rule in order:
                why = " ".join((rule.__doc__ or rule.__name__).split())
                for verdict in ranked(view, matter, rule, f"rule: {rule.__name__}", why, _put_first_by(rule)):
                    yield verdict
                    view = Docket(view.open, view.items, {**view.tentative, matter.id: verdict}, view.answer)
                if matter not in view.contested():
                    break

    return by_rule


def keep(option: Option) -> float:
    """A proposal to keep what is there, with evidence, wins over proposals to change it."""
    return float(option.keeps and any(item.evidence for item in option.items))


def evident(option: Option) -> float:
    """A statement with evidence goes before one without."""
    return float(any(item.evidence for item in option.items))


def surest(option: Option) -> float:
    """The statement with the higher confidence goes first."""
    return max(item.confidence for item in option.items)


def prefer(*agents: str) -> Rule:
    """A rule: of two options, the one by the agent that is named first stands."""

    @mentions(*(f"{agent}.*" for agent in agents))
    def preferred(option: Option) -> float:
        return max((float(len(agents) - agents.index(i.by)) for i in option.items if i.by in agents), default=0.0)

    preferred.__doc__ = f"The team's order of preference: {', '.join(agents)}."
    return preferred


def _put_first_by(rule: Rule) -> Callable[[str, float], str]:
    return lambda word, _: f"{word}, if {rule.__name__} put it first"
