"""The demo in full: real tools review a real package, in processes of their own."""

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import anyio
import pytest

from hustings.agents import RunState, connect
from hustings.bus import embedded
from hustings.examples.review_board import apply_patch, read_sources, team
from hustings.protocols import Proposal

from .processes import Place

pytestmark = pytest.mark.processes


@pytest.mark.long
async def test_the_demo_ends_with_a_proved_patch(tmp_path: Path) -> None:
    """Edits that break the package were proposed, by tools that agree, and fell; merged.patch applies to a pristine
    copy, whose own tests still pass; and the recorded run replays to the same state."""
    place = Place(tmp_path)
    said = await place.call("demo", "-o", "json")
    assert said.code == 0, said.err
    report = said.json
    assert (report["status"], report["missing"]) == ("decided", [])
    proof = report["outcome"]["proof"]
    assert proof["holds"]
    assert proof["after"]["passed"] == proof["before"]["passed"] > 200

    patch = place.home / "runs" / report["run"] / "merged.patch"
    assert patch.read_text() == report["outcome"]["patch"]["diff"]
    pristine = tmp_path / "pristine"
    shutil.copytree(installed(), pristine / "simplejson", ignore=shutil.ignore_patterns("__pycache__"))
    await apply(patch, report["outcome"]["patch"]["diff"], pristine)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "simplejson/tests"]
    tested = await anyio.run_process(command, cwd=pristine, check=False)
    assert tested.returncode == 0, tested.stdout.decode()

    state = await recorded(place, report["run"])
    breaking = [
        item
        for barrier in state.barriers.values()
        for item in barrier.items.values()
        if isinstance(item, Proposal) and drops_bytesio(item)
    ]
    assert {"ruff", "autoflake"} <= {item.by for item in breaking}
    fell = {item for verdict in report["verdicts"] for item in verdict["falls"]}
    assert fell >= {item.id for item in breaking}

    replayed = await place.call("replay", report["run"], "-o", "json")
    assert (replayed.code, replayed.json["state_hash"]) == (0, report["state_hash"])
    await place.all_gone()


def installed() -> Path:
    spec = find_spec("simplejson")
    assert spec
    assert spec.origin
    return Path(spec.origin).parent


def drops_bytesio(proposal: Proposal) -> bool:
    """Takes a name away that the tests import."""
    return any(
        edit.resource == "simplejson/compat.py" and "BytesIO" in edit.was and "BytesIO" not in edit.text
        for edit in proposal.edits
    )


async def apply(patch: Path, diff: str, root: Path) -> None:
    """As a user would, or by our own means where there is no `patch`."""
    if shutil.which("patch"):
        await anyio.run_process(["patch", "-p1", "--fuzz=0", "-i", str(patch)], cwd=root)
        return
    before = {path: source.text for path, source in read_sources(root).files.items()}
    for path, text in apply_patch(diff, before).items():
        (root / path).write_text(text)


async def recorded(place: Place, run: str) -> RunState:
    async with embedded(place.home) as url, connect(team, url) as client:
        return await client.run(run).state()
