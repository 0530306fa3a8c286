"""docs/settings.md: what is written there is what the code has."""

import re
from dataclasses import fields
from pathlib import Path

from hustings.agents import Team
from hustings.agents.cli.frame.settings import TYPES
from hustings.agents.cli.reference import OWNERS, reference
from hustings.agents.settings import settings_of

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs" / "settings.md"


def test_the_table_in_the_docs_is_what_the_command_writes() -> None:
    """Whoever adds or changes a setting runs `make docs`."""
    assert DOCS.read_text() == "\n".join(reference()) + "\n"


def test_each_setting_has_its_row() -> None:
    """Of a team, and each key of hustings.toml; and each has a meaning."""
    text = "\n".join(reference())
    assert all(f"\n| `{each.name}` |" in text for each in fields(Team))
    assert all(f"| `{key}` |" in text for key in TYPES)
    assert [
        f"{title} {each.name}" for title, owner in OWNERS.items() for each in settings_of(owner) if not each.meaning
    ] == []


INTERNAL = {
    "HUSTINGS_PARENT", "HUSTINGS_BROKER_TOKEN",  # from a process to its child
    "HUSTINGS_HISTORY", "HUSTINGS_FAILPOINT", "HUSTINGS_FAILPOINT_TOKENS", "HUSTINGS_EFFECTS",  # for tests and chaos
}  # fmt: skip


def test_each_variable_has_its_row() -> None:
    """Whatever the code reads of the environment that begins with HUSTINGS_ is named, or is nobody's to set."""
    code = [path.read_text() for layer in ("agents", "bus", "protocols") for path in (ROOT / layer).rglob("*.py")]
    read = {name for text in code for name in re.findall(r'"(HUSTINGS_[A-Z_]+)"', text)}
    assert "HUSTINGS_URL" in read
    text = "\n".join(reference())
    assert [name for name in sorted(read - INTERNAL) if f"`{name}`" not in text] == []
