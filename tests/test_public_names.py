"""The front door: what an author writes comes from `hustings`, in every installation, and type checkers know it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import hustings

ROOT = Path(__file__).parent.parent
STUB = (ROOT / "typings" / "hustings" / "__init__.pyi").read_text()

LIGHT = """
import sys, hustings
assert hustings.__version__ and "Specialist" in dir(hustings)
print([name for name in ("pydantic", "nats", "anyio") if name in sys.modules])
"""


def test_every_name_can_be_had_and_the_stub_has_the_same() -> None:
    """`from hustings import *` gives all of `__all__`; mypy and pyright see neither more nor less."""
    assert len({*hustings.__all__}) == len(hustings.__all__) < 30
    assert all(getattr(hustings, name) for name in hustings.__all__)
    assert {*re.findall(r"(\w+) as \1", STUB)} == {*hustings.__all__}


@pytest.mark.processes
def test_it_waits_for_nothing_until_a_name_is_used() -> None:
    """The command line lives below it, and its --help must come at once."""
    said = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"
