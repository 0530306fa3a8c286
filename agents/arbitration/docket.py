"""Docket: all that an arbiter gets, namely the matters of one barrier and what earlier arbiters made of them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from hustings.protocols import Data, Failure, Inquiry, Matter, Verdict

from .matters import (
    Option,
    Said,
    options,
)

LookUp = Callable[[Inquiry], Data | Failure | None]


@dataclass(frozen=True)
class Docket:
    """Everything that one barrier has to settle. `tentative` has the verdicts of earlier arbiters.

    A tentative verdict that is not decided narrows its matter: the items that fall in it are out.
    """

    open: tuple[Matter, ...]
    items: Mapping[str, Said]
    tentative: Mapping[str, Verdict]
    answer: LookUp

    def contested(self) -> list[Matter]:
        """The conflicts that no arbiter has decided yet."""
        return [matter for matter in self.open if matter.contested and not self._decided(matter)]

    def said(self, matter: Matter) -> list[Said]:
        return [self.items[item] for item in matter.items]

    def options(self, matter: Matter) -> list[Option]:
        """The options of a matter that can still stand."""
        narrowed = self.tentative.get(matter.id)
        out = narrowed.falls if narrowed and not narrowed.decided else ()
        return options(item for item in self.said(matter) if item.id not in out)

    def _decided(self, matter: Matter) -> bool:
        return matter.id in self.tentative and self.tentative[matter.id].decided


Arbiter = Callable[[Docket], Iterable[Verdict | Inquiry]]
Rule = Callable[[Option], float]
