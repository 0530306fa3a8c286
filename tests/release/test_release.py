"""What `make release` compares and builds. The steps themselves are run by a release."""

import io
import tarfile
from pathlib import Path

import pytest

from . import __main__ as release
from .before import broken_messages, changed_names, check_named, section
from .build import repacked
from .step import Release, Wrong
from .trial import check_promised, promised

CHANGELOG = "# Changelog\n\n## [0.2.0] - 2027-01-31\n\n- `ask` is gone.\n\n## [0.1.0] - unreleased\n\n- All.\n"
API = """\
# hustings
class Client(Generic[T])
    def __init__(self, bus: Bus) -> None
    async def ask(self, goal: Goal) -> Run
@contextmanager
def connect(url: str) -> Client
KIND = 'a'

# hustings.bus
Client: as in hustings
"""


def test_the_section_of_a_version_needs_a_date() -> None:
    """What stands under its heading, up to the next one; a version without a date is not ready."""
    assert section("0.2.0", CHANGELOG).strip() == "- `ask` is gone."
    with pytest.raises(Wrong, match=r"has no 0\.1\.0: .* Write `## \[0\.1\.0\] - YYYY-MM-DD`"):
        section("0.1.0", CHANGELOG)


@pytest.mark.parametrize(
    ("was", "now", "changed"),
    [
        ("KIND = 'a'", "KIND = 'a'\nNEW = 1", []),
        ("    async def ask", "    def status(self) -> str\n    async def ask", []),
        ("    async def ask(self, goal: Goal) -> Run\n", "", ["hustings.Client"]),
        ("url: str", "url: str, team: str", ["hustings.connect"]),
        ("KIND = 'a'", "", ["hustings.KIND"]),
        ("Client: as in hustings", "", ["hustings.bus.Client"]),
    ],
)
def test_a_name_has_changed_if_a_line_of_it_is_gone(was: str, now: str, changed: list[str]) -> None:
    """What is new breaks nobody."""
    assert changed_names(API, API.replace(was, now)) == changed


def field(type: str, required: bool) -> dict[str, object]:
    return {"required": required, "schema": {"type": type}}


def test_a_message_may_only_get_fields_with_a_default() -> None:
    """Any other change wants a new major version of its contract; a new contract is free."""
    before = {"a.v1": {"text": field("string", True), "size": field("integer", False)}, "b.v1": {}}
    assert list(broken_messages(before, before | {"a.v2": {}})) == []
    assert list(broken_messages(before, before | {"b.v1": {"new": field("string", False)}})) == []
    now = {"a.v1": {"text": field("integer", True), "name": field("string", True)}}
    assert list(broken_messages(before, now)) == [
        "a.v1 has no size",
        "a.v1.text is of another type",
        "a.v1.name is new and has no default",
    ]


def test_what_is_gone_is_named_in_the_changelog() -> None:
    """By its whole name, not by a part of another word."""
    check_named(["ask"], "`ask` is gone")
    with pytest.raises(Wrong, match="does not name all that is gone or changed: ask, b"):
        check_named(["b", "ask"], "asked, about")


def packed(file: Path, time: int, owner: str) -> Path:
    with tarfile.open(file, "w:gz") as archive:
        for name in ("b", "a") if owner else ("a", "b"):
            member = tarfile.TarInfo(name)
            member.mtime, member.uname, member.size = time, owner, 2
            archive.addfile(member, io.BytesIO(b"hi"))
    return file


def test_a_source_distribution_has_nothing_of_its_build(tmp_path: Path) -> None:
    """Two builds at other times, by other users, in another order give the same bytes, with the same files."""
    one, two = packed(tmp_path / "one", 1000000, "ann"), packed(tmp_path / "two", 2000000, "")
    assert one.read_bytes() != two.read_bytes()
    assert repacked(one, 5) == repacked(two, 5)
    with tarfile.open(fileobj=io.BytesIO(repacked(one, 5))) as archive:
        assert [(each.name, each.mtime, each.size) for each in archive] == [("a", 5, 2), ("b", 5, 2)]


def test_every_promised_python_is_tried() -> None:
    """The classifiers promise; where one is missing, the release stops and names it."""
    assert promised()[:3] == ["3.11", "3.12", "3.13"]
    everything = [f"{minor}.7" for minor in promised()]
    assert check_promised(everything) == ", ".join(everything)
    with pytest.raises(Wrong, match=r"there is no Python 3\.12 here"):
        check_promised([full for full in everything if not full.startswith("3.12")])


def test_a_step_that_fails_ends_the_release(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says what, why and what to do; no later step is run, and nothing is said of an upload."""

    def wrong(_: Release) -> str:
        raise Wrong("the tree is not clean", "a.py is not committed", "Commit it.")

    steps = [("first", lambda _: "fine"), ("second", wrong), ("third", lambda _: "never")]
    monkeypatch.setattr(release, "steps", lambda: iter(steps))
    monkeypatch.setattr(release, "git", lambda *_: "")
    assert release.main([]) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("first      ok")
    assert second.endswith("the tree is not clean: a.py is not committed. Commit it.")
    steps.pop(1)
    assert release.main([]) == 0
    assert "git tag v" in capsys.readouterr().out
