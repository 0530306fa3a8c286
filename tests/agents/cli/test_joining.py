"""Which team an agent joins that a person starts: said with the reason, and never another one than was meant."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from hustings.agents import Specialist, Team
from hustings.agents.cli import Settings
from hustings.agents.cli.verbs.joining import Wanted, chosen_team, nearest
from hustings.agents.deploy.neighbours import announced
from hustings.agents.testing import running
from hustings.bus import embedded, open_bus
from hustings.protocols import Goal, Outcome, UsageError

pytestmark = pytest.mark.processes

NOBODY, NAMED = Wanted(None, ""), Wanted("beta", "--team names it")


def settings(home: Path) -> Settings:
    return Settings("text", "never", None, home, debug=False, durability="process")


@asynccontextmanager
async def up(home: Path, *teams: str) -> AsyncIterator[str]:
    """A broker of this folder, where `hustings up` runs these teams."""
    async with embedded(home, durability="process") as url:
        for team in teams:
            record(home, team)
        with announced(home):
            yield url


def record(home: Path, team: str) -> None:
    """What a supervisor writes down of a team that it runs."""
    told = {"team": team, "pid": os.getpid(), "url": "", "children": []}
    (home / f"up-{team}.1.json").write_text(json.dumps(told))


async def test_the_team_of_a_broker(tmp_path: Path) -> None:
    """The only one, or of several the only one that is up; else it has to be named. A new name is told as such."""
    async with embedded(tmp_path, durability="process") as url:
        with pytest.raises(UsageError, match="there is no team to join"):
            await chosen_team(url, NOBODY)
        async with open_bus(url, "alpha", name="test"):
            assert await chosen_team(url, NOBODY) == ("alpha", "it is the only team on this broker")
        told = "--team names it; it is new here, there is alpha"
        assert await chosen_team(url, NAMED) == ("beta", told)
        with capture_logs():
            team = Team("beta", goal=Goal, outcome=Outcome, specialists=[Specialist("ann")])
            async with running(team, url):
                assert await chosen_team(url, NAMED) == NAMED
                assert await chosen_team(url, NOBODY) == ("beta", "of alpha, beta it is the only one that is up")
        with pytest.raises(UsageError, match="this broker has alpha, beta; none of them is up") as refused:
            await chosen_team(url, NOBODY)
        assert refused.value.hint == "Name it with --team."


async def test_a_team_in_another_folder_is_joined_only_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never a team that happens to be up; where one of that name is up twice, it is asked which. Nothing is started."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    here, one, two = (settings(tmp_path / name / ".hustings") for name in ("here", "one", "two"))
    with pytest.raises(UsageError, match=r"the team is not clear: no broker .* in other folders: none"):
        nearest(here, NOBODY)
    async with up(one.home, "alpha", "beta"):
        with pytest.raises(UsageError, match=rf"alpha in {tmp_path}/one, beta in {tmp_path}/one"):
            nearest(here, NOBODY)
        place = nearest(here, NAMED)
        assert place.settings.home == one.home
        assert place.wanted == ("beta", f"--team names it, and you have it up in {tmp_path}/one")
        assert nearest(here, Wanted("gamma", "so")) == (here, ("gamma", "so; it is up in no other folder"))
        assert nearest(one, NOBODY) == (one, NOBODY)
        (tmp_path / "had" / ".hustings" / "store").mkdir(parents=True)
        had = settings(tmp_path / "had" / ".hustings")
        assert nearest(had, NAMED) == (had, NAMED)
        async with embedded(two.home, durability="process"):
            record(two.home, "beta")
            (tmp_path / "runtime" / "hustings" / str(os.getppid())).write_text(str(two.home))  # by another process
            with pytest.raises(UsageError, match="several teams are named beta"):
                nearest(here, NAMED)
    assert not here.home.exists()
