"""The front door: what an author writes comes from `hustings`, in every installation, and type checkers know it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import hustings

ROOT = Path(__file__).parent.parent
SOURCE = ast.parse((ROOT / "hustings" / "__init__.py").read_text())

LIGHT = """
import sys, hustings
assert hustings.__version__ and "Specialist" in dir(hustings)
print([name for name in ("pydantic", "nats", "anyio") if name in sys.modules])
"""


def test_every_name_can_be_had_and_type_checkers_see_the_same() -> None:
    """`from hustings import *` gives all of `__all__`; what mypy and pyright read below TYPE_CHECKING is the same."""
    assert len({*hustings.__all__}) == len(hustings.__all__) < 35
    assert all(getattr(hustings, name) for name in hustings.__all__)
    checked = next(node for node in SOURCE.body if isinstance(node, ast.If))
    seen = {alias.name for node in ast.walk(checked) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == {*hustings.__all__}


@pytest.mark.processes
def test_it_waits_for_nothing_until_a_name_is_used() -> None:
    """The command line lives below it, and its --help must come at once."""
    said = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"
