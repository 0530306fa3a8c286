"""`hustings new`: write a first specialist, and a test for it that passes."""

import keyword
import re
import sys
from pathlib import Path
from string import Template

import click

from ..frame.options import common
from ..frame.output import emit
from ..frame.settings import Settings

SPECIALIST = Template('''\
"""$name: a specialist of a hustings team. Run it with `hustings agent $name:$name`."""

from hustings import Claim, Message, Specialist, Testimony


class Document(Message):
    text: str


$name = Specialist("$name", "says what it finds in a document")


@$name.skill
async def examine(document: Document) -> Testimony:
    """Say how many words the document has."""
    words = len(document.text.split())
    claim = Claim(about="words", value=words, because="counted between spaces")
    return Testimony(claims=(claim,))
''')

TEST = Template('''\
"""$name, on a real throw-away broker."""

import anyio
from hustings import Testimony
from hustings.testing import bench

from $name import Document, $name


def test_it_counts_the_words() -> None:
    async def scenario() -> None:
        async with bench($name) as call:
            said = await call(Testimony, "examine", document=Document(text="hear hear"))
            assert said.claims[0].value == 2

    anyio.run(scenario)
''')


@click.group()
def new() -> None:
    """Write a new specialist with a passing test."""


@new.command()
@click.argument("name")
@common
def specialist(settings: Settings, name: str) -> None:
    """Write NAME.py, a specialist with one skill, and test_NAME.py here. Overwrites nothing."""
    _check(name)
    files = {Path(f"{name}.py"): SPECIALIST, Path(f"test_{name}.py"): TEST}
    for path in files:
        if path.exists():
            raise _refused(f"{path} already exists", "nothing is overwritten", "choose another name, or remove it")
    for path, template in files.items():
        with path.open("x", encoding="utf-8") as file:
            file.write(template.substitute(name=name))
    then = [f"python -m pytest test_{name}.py", f"hustings agent {name}:{name}"]
    emit(settings, {"written": list(files), "next": then}, lambda _: _told(files, then))


def _check(name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise _refused(
            f"{name!r} cannot name a specialist", "it must be a valid name of a Python module", "use a-z, 0-9 and _"
        )
    if name in sys.stdlib_module_names or name in ("hustings", "document", "examine"):
        raise _refused(f"{name!r} cannot name a specialist", "the name is already taken", "choose another name")


def _told(files: dict[Path, Template], then: list[str]) -> str:
    return "\n".join([*(f"wrote {path}" for path in files), *(f"next  {command}" for command in then)])


def _refused(what: str, why: str, hint: str) -> Exception:
    from hustings.protocols import UsageError

    return UsageError(what, why, hint)
