"""docs/settings.md: what is written there is what the code has."""

from dataclasses import fields
from pathlib import Path

from hustings.agents import Team
from hustings.agents.cli.frame.settings import TYPES
from hustings.agents.cli.reference import reference

DOCS = Path(__file__).parents[3] / "docs" / "settings.md"


def test_the_table_in_the_docs_is_what_the_command_writes() -> None:
    """Whoever adds or changes a setting runs `make docs`."""
    assert DOCS.read_text() == "\n".join(reference()) + "\n"


def test_each_setting_has_its_row() -> None:
    """Of a team, and each key of hustings.toml."""
    text = "\n".join(reference())
    assert all(f"\n| `{each.name}` |" in text for each in fields(Team))
    assert all(f"| `{key}` |" in text for key in TYPES)
