"""Mistakes that people make: each is told in three lines, with its place and what to do, on one screen. Nothing is
tried twice that cannot change."""

import shutil
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from . import blunders
from .processes import Place, Said
from .terminal import COLUMNS, ROWS, at_terminal

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


class Mistake(NamedTuple):
    """What somebody types, with these files in the folder; the exit code, and what has to be read then: what, why and
    what to try."""

    args: str
    code: int
    words: tuple[str, ...]
    files: Mapping[str, str] = {}
    before: tuple[str, ...] = ()


SMALL = ("sh", "-c", 'ulimit -S -f 1024 && exec "$@"', "sh")  # no file above 512 KiB, as on a disk that is full
MISTAKES = {
    "a misspelt name": Mistake(
        "run blunders:teem", 2, ("there is no teem in blunders", "it has team", "blunders:team")
    ),
    "a missing key": Mistake(
        "run blunders:team --kind key", 1, ("there is no key", "ANTHROPIC_API_KEY", "or name a file", "(blunders.py:")
    ),
    "a wrong base_url": Mistake(
        "run blunders:far --kind key", 1, ("127.0.0.1:1", "cannot be reached", "Check the network and the base URL")
    ),
    "a missing package": Mistake(
        "run wrong:team",
        2,
        ("wrong cannot be imported", "a_package_that_nobody_has", "(wrong.py:1)", "pip install"),
        {"wrong.py": "import a_package_that_nobody_has"},
    ),
    "a syntax error": Mistake(
        "run wrong:team",
        2,
        ("wrong cannot be imported", "SyntaxError: invalid syntax (wrong.py:2)", "Correct line 2"),
        {"wrong.py": "x = 1\ndef f(:\n    pass"},
    ),
    "an exception at import": Mistake(
        "run wrong:team",
        2,
        ("wrong cannot be imported", "JSONDecodeError", "(wrong.py:3)", "--debug shows the whole traceback"),
        {"wrong.py": "import json\n\njson.loads('nope')"},
    ),
    "an exception in a skill": Mistake(
        "run blunders:team --kind raise",
        1,
        ("ValueError: no way", "(blunders.py:{raise})", "asked = Blunder(kind='raise')", "hustings dead show"),
    ),
    "a wrong return type": Mistake(
        "run blunders:team --kind type",
        1,
        ("stumble promised Done and returned str", "(blunders.py:{type})", "hustings dead show"),
    ),
    "a port that is taken": Mistake(
        "run blunders:team --kind raise --url nats://127.0.0.1:{port}",
        6,
        ("no broker at nats://127.0.0.1:{port}", "as a NATS server does", "another program may have the port"),
    ),
    "a full disk": Mistake(
        "run court:team --text text",
        1,
        ("the broker cannot write", "file too large", "Make room on the disk"),
        {"text": "a line of text\n" * 100_000},
        SMALL,
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
async def test_it_is_told_on_one_screen(place: Place, mistake: Mistake) -> None:
    """At a terminal of 24 rows with 80 columns: all that the command says is still to be seen, with the values where a
    skill failed. Nothing is left running."""
    for name, text in mistake.files.items():
        (place.folder / name).write_text(text)
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        known = {"raise": line("no way"), "type": line("@clumsy.skill"), "port": somebody.getsockname()[1]}
        shown = await at_terminal(place, *mistake.args.format(**known).split(), before=mistake.before)
    text = "".join("".join(shown.rows).split())  # a row may end anywhere in a word
    words = [word.format(**known) for word in mistake.words]
    assert [word for word in words if "".join(word.split()) not in text] == [], "\n".join(shown.rows)
    assert shown.code == mistake.code
    assert len(shown.rows) < ROWS, "\n".join(shown.rows)
    assert max(map(len, shown.rows)) <= COLUMNS
    assert "Traceback" not in text
    await place.all_gone()


async def test_what_fails_in_a_skill(place: Place) -> None:
    """File and line and the text of it; a key or a package that is missing ends it with the first attempt, before any
    call is counted. A day later, without a team, the log alone says the same, and the traceback besides."""
    async with place.up("blunders:team"):
        for kind, attempts, where, words in (
            ("raise", 2, line('ValueError("no way")'), ["ValueError: no way"]),
            ("import", 1, line("the mistake in a skill"), ["No module named 'a_package_that_nobody_has'"]),
            ("key", 1, line("context.model"), ["there is no key", "Set ANTHROPIC_API_KEY"]),
        ):
            said = await place.call("run", "blunders:team", "--kind", kind)
            told(said, 1, f"(blunders.py:{where})", "hustings dead show", *words)
            assert f"    asked = Blunder(kind='{kind}')" in said.err.splitlines()
            shown = (await place.call("show", "@last", "-o", "json")).json
            assert [each["attempts"] for each in shown["failed"]] == [attempts], kind
            assert "calls" not in shown["spent"], kind
    later = (await place.call("show", "@last")).out
    assert f"clumsy-stumble at blunders.py:{where}: " in later
    assert "    asked = Blunder(kind='key')" in later.splitlines()
    whole = (await place.call("dead", "show", f"{shown['run']}.clumsy-stumble")).out
    assert f'File "blunders.py", line {where}, in stumble' in whole
    assert "asked = Blunder(kind='key')" in whole


async def test_a_part_that_cannot_start_ends_the_run(place: Place) -> None:
    """At once and by name, with the reason; the log says it too. It is not started again."""
    said = await place.call("run", "blunders_late:team", "--kind", "raise")
    told(said, 2, "clumsy cannot start", "a_package_that_nobody_has", "blunders_late.py:8", "pip install")
    assert said.err.count("cannot be imported") == 3  # the part says it, then its supervisor, then the error
    shown = await place.call("show", "@last", "-o", "json")
    assert shown.json["because"] in ("clumsy cannot start", "")  # "": the coordinator was not there yet
