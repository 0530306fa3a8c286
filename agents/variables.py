"""Variables: what hustings reads from the environment besides its options. Each stands where it is read."""

import os
from collections.abc import Mapping
from typing import NamedTuple


class Variable(NamedTuple):
    """A variable of the environment, for docs/settings.md. `default` is a value, or says what holds without it."""

    name: str
    meaning: str
    default: str = ""
    unit: str = ""

    def read(self, environ: Mapping[str, str] | None = None) -> str:
        """Its value; "" if it is not set."""
        return (os.environ if environ is None else environ).get(self.name, "")
