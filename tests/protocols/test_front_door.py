"""The front door: every name is there, and there is nothing behind it that is not named."""

import ast
from pathlib import Path
from types import ModuleType

import pytest

from hustings import agents, bus, examples, protocols
from hustings.agents import cli


@pytest.mark.parametrize("door", [protocols, bus, agents, cli, examples], ids=lambda door: door.__name__)
def test_every_name_of_all_exists(door: ModuleType) -> None:
    """`from hustings.X import NAME` works for all that `__all__` promises, and no name is promised twice."""
    names = vars(door)["__all__"]
    assert len(set(names)) == len(names)
    missing = [name for name in names if not hasattr(door, name)]
    assert missing == []


def test_what_protocols_imports_it_also_names() -> None:
    """Its __init__ imports nothing that `__all__` leaves out."""
    tree = ast.parse(Path(protocols.__file__ or "").read_text())
    imported = {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert imported == set(vars(protocols)["__all__"])
