"""Vulnerabilities: the exact versions that a repository names, looked up in a file of advisories; no network.

The format of an advisory is OSV: https://ossf.github.io/osv-schema/. https://osv.dev publishes all of PyPI as one zip.
"""

import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.version import InvalidVersion, Version
from pydantic import BaseModel, TypeAdapter, ValidationError

from hustings import Claim, Evidence, NonRetryableError
from hustings.protocols import UsageError

from .declared import Declared, declared, locked, normal
from .severity import Severity, finding

SEVERITIES: dict[str, Severity] = {"LOW": "note", "MODERATE": "warning", "MEDIUM": "warning"}  # all else: error
HOW = "give a JSON file of OSV advisories, or a zip of such files, as https://osv.dev publishes it for PyPI"


class Event(BaseModel):
    """A version at which a range begins or ends. `introduced` "0" is before all versions."""

    introduced: str | None = None
    fixed: str | None = None
    last_affected: str | None = None


class Range(BaseModel):
    type: str
    events: list[Event] = []


class Package(BaseModel):
    ecosystem: str = ""
    name: str = ""


class Affected(BaseModel):
    package: Package = Package()
    ranges: list[Range] = []
    versions: list[str] = []


class Rating(BaseModel):
    """What the publisher of an advisory adds: a word for how bad it is."""

    severity: str | None = None


class Advisory(BaseModel):
    id: str
    summary: str = ""
    withdrawn: str | None = None
    affected: list[Affected] = []
    database_specific: Rating = Rating()

    @property
    def on_pypi(self) -> list[Affected]:
        return [each for each in self.affected if each.package.ecosystem == "PyPI"]


ADVISORIES = TypeAdapter(list[Advisory] | Advisory)


def vulnerability_claims(root: Path, raw: bytes) -> list[Claim]:
    """One Claim for each advisory that is about an exact version of requirements, metadata or a lock file: about
    "dependency:NAME:ID", with the value "vulnerable".

    A dependency without an exact version is not claimed. Raises NonRetryableError: these are no advisories.
    """
    pinned = {(each.name, each.version): each for each in (*declared(root), *locked(root)) if each.version}
    if not pinned:
        return []
    by_name: dict[str, list[Advisory]] = {}
    for advisory in advisories(raw):
        for name in {normal(each.package.name) for each in advisory.on_pypi}:
            by_name.setdefault(name, []).append(advisory)
    return [
        _claim(each, advisory, affected)
        for each in pinned.values()
        for advisory in by_name.get(each.name, ())
        if not advisory.withdrawn and (affected := _affected(each, advisory))
    ]


def check_advisories(path: Path) -> None:
    """Raises UsageError if the first advisory of the file cannot be read."""
    try:
        next(advisories(path.read_bytes()), None)
    except NonRetryableError as error:
        raise UsageError(error.what, error.why, error.hint) from None


def advisories(raw: bytes) -> Iterator[Advisory]:
    """The advisories of a JSON file, or of each JSON file in a zip. Raises NonRetryableError."""
    for name, text in _files(raw):
        try:
            found = ADVISORIES.validate_json(text)
        except ValidationError:
            raise NonRetryableError(f"{name} has no OSV advisory", "it is not JSON of that format", HOW) from None
        yield from found if isinstance(found, list) else [found]


def _files(raw: bytes) -> Iterator[tuple[str, bytes]]:
    if not raw.startswith(b"PK"):
        yield "the file of vulnerabilities", raw
        return
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            for name in archive.namelist():
                if name.endswith(".json"):
                    yield name, archive.read(name)
    except zipfile.BadZipFile as error:
        raise NonRetryableError("the file of vulnerabilities cannot be read", str(error), HOW) from None


def _affected(each: Declared, advisory: Advisory) -> Affected | None:
    """What the advisory says of this distribution, if its version is among those that it names."""
    about = (one for one in advisory.on_pypi if normal(one.package.name) == each.name)
    return next((one for one in about if is_affected(each.version, one)), None)


def is_affected(version: str, affected: Affected) -> bool:
    """True if the version is listed, or lies in one of the ranges of versions (not of commits)."""
    ours = _version(version)
    if ours is None:
        return version in affected.versions
    listed = any(_version(each) == ours for each in affected.versions)
    return listed or any(_in(ours, each.events) for each in affected.ranges if each.type in ("ECOSYSTEM", "SEMVER"))


def _in(version: Version, events: Iterable[Event]) -> bool:
    """As the format defines it: the last event at or before the version decides."""
    within = False
    for at, turns, on in sorted(_turns(events)):
        if version > at or (version == at and turns == "at"):
            within = on
    return within


def _turns(events: Iterable[Event]) -> Iterator[tuple[Version, str, bool]]:
    """The versions at, or after, which the range begins (True) or ends."""
    for event in events:
        said = (("at", event.introduced, True), ("at", event.fixed, False), ("past", event.last_affected, False))
        for turns, text, on in said:
            if text is not None and (at := _version("0.dev0" if text == "0" else text)):
                yield at, turns, on


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def _claim(each: Declared, advisory: Advisory, affected: Affected) -> Claim:
    fixes = [event.fixed for one in affected.ranges if one.type != "GIT" for event in one.events if event.fixed]
    mended = f"fixed in {', '.join(fixes)}" if fixes else "no version is named that fixes it"
    says = f"{each.name} {each.version}: {advisory.id} {advisory.summary}".rstrip()
    severity = SEVERITIES.get((advisory.database_specific.severity or "").upper(), "error")
    more = (Evidence(kind="advisory", says=mended, source=each.where),)
    return finding(f"dependency:{each.name}:{advisory.id}", "vulnerable", each.where, says, severity, more=more)
