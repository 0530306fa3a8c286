"""rules: the arbiter that applies rules in order, and ready-made rules."""

import math
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from hustings.protocols import UsageError, Verdict

from ..settings import mentioned, mentions
from .docket import Arbiter, Docket, Rule
from .matters import Option
from .verdict import ranked


def rules(*order: Rule) -> Arbiter:
    """Settle by rules, one after the other. A rule gives each option a number; of two that clash the higher stands.

    A rule's name and docstring become the verdict's reason. Raises UsageError: there is no rule. If a rule raises, or
    returns no finite number, the run fails, and its end names the rule.
    """
    if not order:
        raise UsageError("rules() has no rule", "it would settle nothing", "Name one, as in `rules(evident)`.")

    @mentions(*mentioned(*order))
    def by_rule(docket: Docket) -> Iterator[Verdict]:
        for matter in docket.contested():
            view = docket
            for rule in order:
                why = " ".join((rule.__doc__ or rule.__name__).split())
                for verdict in ranked(view, matter, _checked(rule), f"rule: {rule.__name__}", why, _put_first_by(rule)):
                    yield verdict
                    view = Docket(view.open, view.items, {**view.tentative, matter.id: verdict}, view.answer)
                if matter not in view.contested():
                    break

    return by_rule


def is_rule(function: Callable[..., object]) -> bool:
    """Whether the function says that it takes an Option: then it is a rule, and no arbiter."""
    return any(each in (Option, "Option") for each in getattr(function, "__annotations__", {}).values())


def _checked(rule: Rule) -> Rule:
    """The rule. Raises UsageError, which names it: it raised, or returned no finite number."""
    who = f"the rule {rule.__name__}"

    def checked(option: Option) -> float:
        try:
            number: object = rule(option)
        except Exception as error:  # a rule is the team's code: it may raise anything
            raise UsageError(f"{who} raised {type(error).__name__}: {error} ({_place(rule, error)})") from error
        if not isinstance(number, int | float) or not math.isfinite(number):
            raise UsageError(f"{who} returned {number!r}, which is no finite number")
        return float(number)

    return checked


def _place(rule: Rule, error: Exception) -> str:
    """The last line of the rule's own file that ran, else the last line."""
    lines = [(frame.f_code.co_filename, number) for frame, number in traceback.walk_tb(error.__traceback__)]
    own = [line for line in lines if line[0] == getattr(getattr(rule, "__code__", None), "co_filename", "")]
    file, number = (own or lines)[-1]
    return f"{Path(file).name}:{number}"


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
