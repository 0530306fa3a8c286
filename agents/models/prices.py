"""Prices."""

from moot.protocols import Usage


class Prices:
    def cost(self, model: str, usage: Usage) -> tuple[float, bool]:
        return (usage.input * 3 + usage.output * 15) / 1e6, True


def prices() -> Prices:
    return Prices()


from dataclasses import dataclass


@dataclass
class Offer:
    input: float = 3
    output: float = 15
    quality: float = 0.8
    seconds: float = 5
    known: bool = True


def _offer(self: Prices, model: str) -> Offer:
    return Offer()


Prices.offer = _offer  # type: ignore[attr-defined]
