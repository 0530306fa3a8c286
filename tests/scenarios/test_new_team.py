"""`hustings new team`: what it writes passes its own tests, and runs."""

import sys
from pathlib import Path

import anyio
import pytest

from .processes import Place

pytestmark = pytest.mark.processes


async def test_a_new_team_passes_its_tests_and_runs(tmp_path: Path) -> None:
    """In an empty folder, as the README that it writes says; the rule of the team settles the conflict."""
    place = Place(tmp_path)
    said = await place.call("new", "team", "counters")
    assert (said.code, said.err) == (0, "")
    files = [row.removeprefix("wrote ") for row in said.out.splitlines() if row.startswith("wrote ")]
    assert sorted(files) == sorted(str(path.relative_to(tmp_path)) for path in (tmp_path / "counters").iterdir())
    tested = await anyio.run_process(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "counters"],
        cwd=tmp_path,
        env=place.env,
        check=False,
    )
    assert "2 passed" in tested.stdout.decode(), tested.stdout.decode()
    came = await place.call("run", "counters:team", "--text", "re-do it", "-o", "json")
    assert (came.code, came.json["status"]) == (0, "decided")
    (verdict,) = came.json["outcome"]["verdicts"]
    assert (verdict["rule"], [item["by"] for item in verdict["stands"]]) == ("rule: quoted", ["letters"])
    await place.all_gone()


async def test_a_new_team_overwrites_nothing(tmp_path: Path) -> None:
    place = Place(tmp_path)
    (tmp_path / "counters").mkdir()
    for name, what in (("counters", "counters already exists"), ("json", "'json' cannot name a team")):
        said = await place.call("new", "team", name)
        assert (said.code, said.error[0], len(said.error)) == (2, f"error: {what}", 3)
    assert not list((tmp_path / "counters").iterdir())
