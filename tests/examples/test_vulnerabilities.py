"""Vulnerabilities: what an advisory names is claimed, at the line that pins it, and nothing else."""

import io
import json
import zipfile
from typing import Any

import pytest

from hustings.examples.review_board import vulnerability_claims
from hustings.examples.review_board.vulnerabilities import Affected, check_advisories, is_affected
from hustings.protocols import Data, NonRetryableError, UsageError

from .conftest import Write

PINS = {"requirements.txt": "# ours\nRich == 13.0.0\nclick>=8\n"}


def advisory(name: str = "rich", ecosystem: str = "PyPI", **more: Any) -> Data:
    events = [{"introduced": "0"}, {"fixed": "13.1"}]
    package = {"ecosystem": ecosystem, "name": name}
    return {
        "id": "PYSEC-1",
        "summary": "it can be made to hang",
        "affected": [{"package": package, "ranges": [{"type": "ECOSYSTEM", "events": events}]}],
        **more,
    }


def raw(*advisories: Data) -> bytes:
    return json.dumps(advisories[0] if len(advisories) == 1 else advisories).encode()


def packed(*advisories: Data) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w") as archive:
        for number, each in enumerate(advisories):
            archive.writestr(f"{number}.json", raw(each))
        archive.writestr("README", "no advisory")
    return into.getvalue()


@pytest.mark.parametrize("form", [raw, packed])
def test_an_exact_version_that_an_advisory_names_is_claimed(form: Any, write: Write) -> None:
    """With the line that pins it, the advisory, its severity, and the version that fixes it."""
    rated = advisory(database_specific={"severity": "MODERATE"})
    [claim] = vulnerability_claims(write(PINS), form(rated, advisory("requests")))
    assert (claim.about, claim.value) == ("dependency:rich:PYSEC-1", "vulnerable")
    assert claim.because == "rich 13.0.0: PYSEC-1 it can be made to hang"
    assert [(each.kind, each.says, each.source) for each in claim.evidence] == [
        ("rule", claim.because, "requirements.txt:2"),
        ("advisory", "fixed in 13.1", "requirements.txt:2"),
        ("severity", "warning", "requirements.txt:2"),
    ]


def test_a_lock_file_pins_too(write: Write) -> None:
    lock = '[[package]]\nname = "click"\nversion = "8.0"\n\n[[package]]\nname = "rich"\nversion = "13.0.9"\n'
    [claim] = vulnerability_claims(write({"uv.lock": lock}), raw(advisory()))
    assert claim.evidence[0].source == "uv.lock:6"


@pytest.mark.parametrize(
    "other",
    [
        advisory("click"),  # only a lower bound
        advisory(ecosystem="npm"),
        advisory(withdrawn="2026-01-01T00:00:00Z"),
        advisory(affected=[{"package": {"ecosystem": "PyPI", "name": "rich"}, "versions": ["12.0", "13.1.0"]}]),
        advisory(
            affected=[
                {"package": {"ecosystem": "PyPI", "name": "rich"}, "versions": ["12.0"]},
                {"package": {"ecosystem": "npm", "name": "rich"}, "versions": ["13.0.0"]},
            ]
        ),
        advisory(affected=[{"ranges": [{"type": "GIT", "events": [{"introduced": "0"}]}]}]),
    ],
    ids=[
        "no exact version",
        "another ecosystem",
        "withdrawn",
        "other versions",
        "another ecosystem too",
        "commits of nobody",
    ],
)
def test_what_no_advisory_names_is_not_claimed(other: Data, write: Write) -> None:
    assert vulnerability_claims(write(PINS), raw(other)) == []


@pytest.mark.parametrize(
    ("events", "within", "outside"),
    [
        ([{"introduced": "0"}, {"fixed": "1.2"}], ["0.0.1", "1.1.9", "1.2rc1"], ["1.2", "1.2.0", "2"]),
        ([{"introduced": "1"}, {"last_affected": "1.2"}], ["1.0", "1.2"], ["0.9", "1.2.1"]),
        (
            [{"fixed": "2.1"}, {"introduced": "2"}, {"introduced": "0"}, {"fixed": "1.1"}],
            ["1.0", "2.0.5"],
            ["1.1", "1.9", "2.1"],
        ),
        ([{"introduced": "3"}], ["3", "99"], ["2.9"]),
    ],
    ids=["fixed", "last affected", "two branches, in any order", "for ever"],
)
def test_a_range_is_read_as_the_format_defines_it(
    events: list[dict[str, str]], within: list[str], outside: list[str]
) -> None:
    affected = Affected.model_validate({"ranges": [{"type": "ECOSYSTEM", "events": events}]})
    assert [each for each in (*within, *outside) if is_affected(each, affected)] == within


def test_a_listed_version_is_affected_however_it_is_written() -> None:
    assert is_affected("1.0", Affected(versions=["1.0.0"]))
    assert is_affected("2004-beta", Affected(versions=["2004-beta"]))
    assert not is_affected("1.1", Affected(versions=["1.0.0"]))


@pytest.mark.parametrize("what", [b"no json", b"[1]", b"{}", b"PK no zip"])
def test_what_is_no_list_of_advisories_is_refused_in_words(what: bytes, write: Write) -> None:
    with pytest.raises(NonRetryableError) as refused:
        vulnerability_claims(write(PINS), what)
    assert "osv.dev" in refused.value.hint


def test_a_file_that_cannot_be_used_ends_the_command_before_anything_runs(write: Write) -> None:
    root = write({**PINS, "advisories.json": "{}"})
    with pytest.raises(UsageError, match="no OSV advisory"):
        check_advisories(root / "advisories.json")
