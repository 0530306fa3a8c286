"""Duration: a length of time as a person types it, 90s or 1h30m."""

import re
from typing import Any

import click

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


class Duration(click.ParamType[float]):
    """Seconds, written as 90s, 5m, 1h30m or 2d; with `plain` a number without a unit counts as seconds too."""

    name = "duration"

    def __init__(self, *, plain: bool = False) -> None:
        self._plain = plain

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        if self._plain and _NUMBER.fullmatch(value):
            return float(value)
        parts = _DURATION.findall(value)
        if not parts or "".join(number + unit for number, unit in parts) != value:
            self.fail(f"{value!r} is not a duration: write 90s, 5m, 1h30m or 2d", param, ctx)
        return sum(float(number) * _UNITS[unit] for number, unit in parts)
