"""`hustings new`: write a first specialist or a first team, and tests of it that pass."""

import keyword
import re
import sys
from collections.abc import Iterable
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
    """Write a new specialist, or a new team, with passing tests."""


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


@new.command()
@click.argument("name")
@common
def team(settings: Settings, name: str) -> None:
    """Write the package NAME here: two specialists that disagree, the rule that settles it, tests, and a README."""
    from .new_team import written

    _check(name, "team")
    folder = Path(name)
    if folder.exists():
        raise _refused(f"{folder} already exists", "nothing is overwritten", "choose another name, or remove it")
    files = {folder / file: text for file, text in written(name).items()}
    folder.mkdir()
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    then = [f"python -m pytest {name}", f'hustings run {name}:team --text "re-do it"']
    emit(settings, {"written": list(files), "next": then}, lambda _: _told(files, then))


def _check(name: str, what: str = "specialist") -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise _refused(
            f"{name!r} cannot name a {what}", "it must be a valid name of a Python module", "use a-z, 0-9 and _"
        )
    if name in sys.stdlib_module_names or name in ("hustings", "document", "examine"):
        raise _refused(f"{name!r} cannot name a {what}", "the name is already taken", "choose another name")


def _told(files: Iterable[Path], then: list[str]) -> str:
    return "\n".join([*(f"wrote {path}" for path in files), *(f"next  {command}" for command in then)])


def _refused(what: str, why: str, hint: str) -> Exception:
    from hustings.protocols import UsageError

    return UsageError(what, why, hint)
