"""Mistakes that people make: each is told in three lines, with its place and what to do. Nothing is tried twice that
cannot change."""

import shutil
from pathlib import Path

import pytest

from . import blunders
from .processes import Place, Said

pytestmark = pytest.mark.processes


@pytest.fixture
def place(tmp_path: Path) -> Place:
    shutil.copy(blunders.__file__, tmp_path / "blunders.py")
    shutil.copy(blunders.__file__, tmp_path / "blunders_late.py")
    (tmp_path / "hustings.toml").write_text(
        '[providers.nowhere]\nkind = "anthropic"\nbase_url = "http://127.0.0.1:1"\n'
    )
    return Place(tmp_path)


def told(said: Said, code: int, *words: str) -> str:
    """Three lines, and these words in them."""
    assert [line.partition(":")[0] for line in said.error] == ["error", "  why", "  try"], said
    assert said.code == code
    assert "Traceback" not in said.err
    lines = "\n".join(said.error)
    for word in words:
        assert word in lines
    return lines


def line(source: str) -> int:
    rows = Path(blunders.__file__).read_text().splitlines()
    return next(number for number, row in enumerate(rows, 1) if source in row)


async def test_what_fails_in_a_skill(place: Place) -> None:
    """File and line and the text of it; a key or a package that is missing ends it with the first attempt, before any
    call is counted. A day later, without a team, the log alone says the same, and the traceback besides."""
    begins = line("@clumsy.skill")
    async with place.up("blunders:team"):
        for kind, attempts, where, words in (
            ("raise", 2, line('ValueError("no way")'), ["ValueError: no way"]),
            ("type", 2, begins, ["TypeError: stumble promised Done and returned str"]),
            ("import", 1, line("the mistake in a skill"), ["No module named 'a_package_that_nobody_has'"]),
            ("key", 1, line("context.model"), ["there is no key", "Set ANTHROPIC_API_KEY"]),
        ):
            said = await place.call("run", "blunders:team", "--kind", kind)
            told(said, 1, f"(blunders.py:{where})", "hustings dead show", *words)
            shown = (await place.call("show", "@last", "-o", "json")).json
            assert [each["attempts"] for each in shown["failed"]] == [attempts], kind
            assert "calls" not in shown["spent"], kind
    assert f"clumsy-stumble at blunders.py:{where}: " in (await place.call("show", "@last")).out
    whole = (await place.call("dead", "show", f"{shown['run']}.clumsy-stumble")).out
    assert f'File "blunders.py", line {where}, in stumble' in whole
    assert "asked = Blunder(kind='key')" in whole


async def test_a_wrong_base_url(place: Place) -> None:
    """The address that does not answer is named, and what to check."""
    told(await place.call("run", "blunders:far", "--kind", "key"), 1, "127.0.0.1:1", "base URL")


async def test_a_part_that_cannot_start_ends_the_run(place: Place) -> None:
    """At once and by name, with the reason; the log says it too. It is not started again."""
    said = await place.call("run", "blunders_late:team", "--kind", "raise")
    told(said, 2, "clumsy cannot start", "a_package_that_nobody_has", "blunders_late.py:8", "pip install")
    assert said.err.count("cannot be imported") == 3  # the part says it, then its supervisor, then the error
    shown = await place.call("show", "@last", "-o", "json")
    assert shown.json["because"] in ("clumsy cannot start", "")  # "": the coordinator was not there yet


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import a_package_that_nobody_has", ["a_package_that_nobody_has", "wrong.py:1", "pip install"]),
        ("x = 1\ndef f(:\n    pass", ["SyntaxError: invalid syntax", "wrong.py:2", "Correct line 2"]),
        ("import json\n\njson.loads('nope')", ["JSONDecodeError", "wrong.py:3"]),
    ],
    ids=["package", "syntax", "raises"],
)
async def test_a_module_that_cannot_be_imported(place: Place, source: str, words: list[str]) -> None:
    """The line of the user's own file, not that of the library in which it was raised."""
    (place.folder / "wrong.py").write_text(source)
    told(await place.call("run", "wrong:team"), 2, "wrong cannot be imported", *words)
