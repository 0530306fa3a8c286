"""Prices: what models cost, from a dated file that the user can override."""

import os
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from itertools import takewhile
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hustings.protocols import Usage, UsageError
from hustings.protocols.validation import errors_in_words

from ..variables import Variable

PRICES = Variable("HUSTINGS_PRICES", "a file with prices that go before the shipped ones, in the form of prices.toml")
ANY = "*"
LIKE = 8  # names with so many equal first characters are of one family, as in "claude-sonnet"


class Offer(BaseModel):
    """A model's conditions: US dollars per million tokens, and the figures that we state.

    `quality` is between 0 and 1, `seconds` a typical answer. A request with more than `beyond` tokens of input costs
    `times` as much. Not `known`: an estimate.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cache_read: float = Field(ge=0)
    cache_write: float = Field(ge=0)
    quality: float = Field(default=0.5, ge=0, le=1)
    seconds: float = Field(default=10.0, ge=0)
    known: bool = True
    beyond: int = 0
    times: float = 1.0

    def cost(self, usage: Usage) -> float:
        """US dollars for one request."""
        read = usage.input + usage.cache_read + usage.cache_write
        millionths = (
            usage.input * self.input
            + usage.output * self.output
            + usage.cache_read * self.cache_read
            + usage.cache_write * self.cache_write
        )
        return millionths / 1e6 * (self.times if self.beyond and read > self.beyond else 1.0)


class Prices:
    """Offers by PROVIDER:NAME."""

    def __init__(self, offers: Mapping[str, Offer]) -> None:
        self._offers = offers

    def cost(self, model: str, usage: Usage) -> tuple[float, bool]:
        """US dollars, and whether the price is known; if it is not, the cost is an estimate."""
        offer = self.offer(model)
        return offer.cost(usage), offer.known

    def offer(self, model: str) -> Offer:
        """The conditions of a model, without regard to a date in its name. For an unknown model those of the nearest in
        its family, or of the row "*", and not `known`."""
        name = next((row for row in (model, _undated(model)) if row in self._offers), None)
        if name is not None:
            return self._offers[name]
        return self._nearest(model).model_copy(update={"known": False})

    def _nearest(self, model: str) -> Offer:
        """The most expensive of the rows with the longest common beginning, of any provider."""
        alike = {row: _alike(_bare(row), _bare(model)) for row in self._offers}
        most = max(alike.values(), default=0)
        family = [self._offers[row] for row, same in alike.items() if same == most and same >= LIKE]
        return max(family, key=lambda offer: offer.output, default=self._offers[ANY])


def prices(environ: Mapping[str, str] = os.environ) -> Prices:
    """The shipped prices, overridden by the rows of the file in HUSTINGS_PRICES. Raises UsageError."""
    path, shipped = PRICES.read(environ), _shipped()
    try:
        return Prices(shipped | _read(Path(path).read_text("utf-8")) if path else shipped)
    except ValidationError as error:
        why = "; ".join(errors_in_words(error, whole="the file"))
        raise UsageError(f"{path} has invalid prices", why, "correct it as in prices.toml") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read", str(error), "correct HUSTINGS_PRICES, or the file") from error


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    date: Any = None
    models: dict[str, Offer]


@cache
def _shipped() -> dict[str, Offer]:
    return _read((files(__package__) / "prices.toml").read_text("utf-8"))


def _read(text: str) -> dict[str, Offer]:
    import tomllib

    return _File.model_validate(tomllib.loads(text)).models


def _alike(one: str, other: str) -> int:
    """The number of equal first characters."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _bare(model: str) -> str:
    return model.rpartition(":")[2]


def _undated(model: str) -> str:
    """claude-haiku-4-5-20251001 and gpt-5-2026-01-31 without their dates."""
    words = model.split("-")
    if len(words[-1]) == 8 and words[-1].isdigit():
        return "-".join(words[:-1])
    return "-".join(words[:-3]) if [len(word) for word in words[-3:] if word.isdigit()] == [4, 2, 2] else model
