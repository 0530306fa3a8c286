"""Rules: which models serve which skill. A team has them, not a specialist."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import Field

from hustings.protocols import ModelChain, UsageError

from ..settings import check
from .prices import Offer, prices

By = Literal["order", "price", "latency", "quality"]
Quality = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]

_ORDERS: dict[str, Callable[[Offer], float]] = {
    "price": lambda offer: offer.input * 3 + offer.output,  # of a usual call, which has more input than output
    "latency": lambda offer: offer.seconds,
    "quality": lambda offer: -offer.quality,
}


@dataclass(frozen=True)
class ModelRule:
    """One rule of a team: these models serve the skills AGENT.SKILL that match `who` (`*`: any).

    They are tried in the given order, or the cheapest, the quickest or the best first by the price file. Models with a
    stated quality (0 to 1) below `quality` are left out. Raises UsageError.
    """

    who: Annotated[str, "the skills that it is for, as AGENT.SKILL (`*`: any)"]
    models: Annotated[Sequence[str], "their models, as PROVIDER:NAME"]
    by: Annotated[By, "which of them is tried first: the first given, the cheapest, the quickest, the best"] = "order"
    quality: Annotated[Quality, "the stated quality that a model must have"] = 0.0

    def __post_init__(self) -> None:
        check(self)
        if not self.models:
            raise UsageError(f"no model serves {self.who}", "its rule names none")
        for model in self.models:
            if not all(model.partition(":")):
                raise UsageError(
                    f"{model!r} is not the name of a model for {self.who}",
                    "models is a list of names PROVIDER:NAME",
                    'For example `models=("anthropic:claude-sonnet-5-5",)`.',
                )


class ModelRouter:
    """A team's rules; the first that matches a skill counts."""

    def __init__(self, lines: Iterable[ModelRule] = (), *, cheaper: bool = True) -> None:
        self._lines = [(line.who, ModelChain(models=_ordered(line), cheaper=cheaper)) for line in lines]

    def of(self, agent: str, skill: str) -> ModelChain | None:
        """The models that serve a skill; None: the agent's own choice."""
        return next((serving for who, serving in self._lines if fnmatchcase(f"{agent}.{skill}", who)), None)


def _ordered(line: ModelRule) -> tuple[str, ...]:
    """Raises UsageError: no model is left."""
    offers = {model: prices().offer(model) for model in line.models}
    good = [model for model, offer in offers.items() if offer.quality >= line.quality]
    if not good:
        raise UsageError(
            f"no model serves {line.who}",
            f"none of {', '.join(line.models) or 'nothing'} has a stated quality of {line.quality:g}",
            "Name other models, or lower `quality`.",
        )
    return tuple(good if line.by == "order" else sorted(good, key=lambda model: _ORDERS[line.by](offers[model])))
