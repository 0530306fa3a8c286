"""`hustings dead` and `hustings cancel`, beside a team that is at work."""

import base64
import json
from pathlib import Path

import anyio
import pytest

from hustings.agents import Client
from hustings.bus import Bus
from hustings.protocols import Assigned, Discarded

from .conftest import Finished, Hustings
from .mill import Grain, Mill, entries, heard
from .processes import Place

pytestmark = pytest.mark.processes

KEYS = [
    "id", "team", "run", "task", "agent", "skill", "cause", "because", "attempts", "version", "time", "status",
    "redriven_by", "discarded_by", "discarded_because", "assigned", "at",
]  # fmt: skip


async def ground(client: Client, *stones: int, pieces: int = 4) -> str:
    """A run that has ended, with a dead letter for each stone."""
    run = await client.ask(Grain(pieces=pieces, stones=stones))
    await run.wait()
    return run.id


def error(said: Finished) -> tuple[object, list[str]]:
    return said.code, [line.split(": ", 1)[1] for line in said.lines[-3:]]


# ls and show


async def test_ls_lists_what_is_left_and_its_code_says_whether_anything_is(
    mill: Mill, client: Client, hustings: Hustings
) -> None:
    """5 as long as there are dead letters that fit, 0 if there are none; redriven and discarded ones with --all."""
    async with mill.working():
        run = await ground(client, 1, 3)
    said = await hustings("dead", "ls", "--team", mill.name, "-o", "json")
    assert (said.code, [row["id"] for row in said.json]) == (5, [f"{run}.grinder-grind-1", f"{run}.grinder-grind-3"])
    assert list(said.json[0]) == KEYS
    said = await hustings("dead", "ls", "--run", run[:6], "--agent", "grinder", "--cause", "raised")
    assert said.code == 5
    heads, *rows = said.out.splitlines()
    assert heads.split() == ["ID", "AGENT", "CAUSE", "ATTEMPTS", "VERSION", "WHEN", "BECAUSE"]
    assert [row.split()[:5] for row in rows] == [
        [f"{run}.grinder-grind-{number}", "grinder", "raised", "2", "1.0.0"] for number in (1, 3)
    ]
    assert "ValueError: piece 1 is a stone" in rows[0]
    said = await hustings("dead", "ls", "--team", mill.name, "--cause", "killed")
    assert (said.code, said.out) == (0, "no dead letters\n")
    assert (await hustings("dead", "ls", "--team", mill.name, "--agent", "nobody", "-o", "json")).json == []
    assert (await hustings("dead", "ls", "--run", "r-none")).code == 2
    assert (await hustings("dead", "ls", "--cause", "sadness")).code == 2

    await hustings("dead", "discard", f"{run}.grinder-grind-1", "--because", "a joke")
    said = await hustings("dead", "ls", "--run", run, "-o", "jsonl")
    assert [json.loads(line)["task"] for line in said.out.splitlines()] == ["grinder-grind-3"]
    said = await hustings("dead", "ls", "--run", run, "--all")
    assert (said.code, "discarded by cli (a joke)" in said.out) == (5, True)
    await hustings("dead", "discard", f"{run}.grinder-grind-3")
    assert (await hustings("dead", "ls", "--run", run)).code == 0
    assert (await hustings("dead", "ls", "--run", run, "--all")).code == 0


async def test_show_has_the_bytes_that_lie_on_the_log(mill: Mill, client: Client, hustings: Hustings, bus: Bus) -> None:
    """Each attempt, the input, and with --raw the message that was dispatched last, as the broker itself gives it."""
    async with mill.working():
        run = await ground(client, 1)
    said = await hustings("dead", "show", f"{run}.", "-o", "json")
    assert said.code == 0
    assert list(said.json) == [*KEYS, "failures", "input", "original"]
    assert [(each["attempt"], each["version"], each["cause"]) for each in said.json["failures"]] == [
        (1, "1.0.0", "raised"), (2, "1.0.0", "raised")
    ]  # fmt: skip
    assert said.json["input"] == {"piece": {"number": 1, "stone": True, "husk": ""}}
    where = {"seq": said.json["assigned"]}
    kept = await bus.connection.request(f"$JS.API.STREAM.MSG.GET.LOG_{mill.name}", json.dumps(where).encode())
    data = base64.b64decode(json.loads(kept.data)["message"]["data"])
    assert base64.b64decode(said.json["original"]) == data
    assert json.loads(data)["data"]["attempt"] == 2
    assert (await hustings("dead", "show", said.json["id"], "--raw")).out.encode() == data
    text = (await hustings("dead", "show", said.json["id"])).out
    assert f"letter   {run}.grinder-grind-1 of team {mill.name}: dead" in text
    assert "task     grind, sent to grinder 1.0.0" in text
    assert text.endswith(f"of the log: hustings dead show {said.json['id']} --raw\n")
    assert error(await hustings("dead", "show", "x.y"))[1][0] == "there is no dead letter x.y"


# redrive


async def test_redrive_one_or_by_filter_once_there_is_a_newer_version(
    mill: Mill, client: Client, hustings: Hustings
) -> None:
    """Refused while the agent is as it was; --newer leaves those out; then each is done in a run of its own run's."""
    async with mill.working():
        first = await ground(client, 1, 3)
        second = await ground(client, 0)
        said = await hustings("dead", "redrive", f"{first}.grinder-grind-1")
        assert error(said) == (
            2,
            [
                "nothing was redriven: it would fail as before",
                "grinder still has version 1.0.0",
                "Start a newer version of the agent. If its code has changed and its version has not, add "
                "--same-version; --newer skips unchanged agents; --force redrives anyway.",
            ],
        )
        said = await hustings("dead", "redrive", "--team", mill.name, "--all", "--newer", "-o", "json")
        assert (said.code, said.json) == (0, [])
        assert "3 dead letters left out: no newer version of the agent is running" in said.err
        assert len(await client.runs()) == 2
        said = await hustings("dead", "redrive", f"{first}.grinder-grind-1", "--same-version", "-o", "json")
        assert said.code == 5
        assert [(row["id"], row["status"]) for row in said.json] == [(f"{first}.grinder-grind-1", "dead")]
        assert "is dead again: ValueError: piece 1 is a stone" in said.err
        third = said.json[0]["redriven_by"]
    async with mill.working("1.0.1"):
        said = await hustings("dead", "redrive", f"{first}.grinder-grind-3")
        assert said.code == 0
        assert said.out.splitlines()[1].split()[0::2] == [f"{first}.grinder-grind-3", "done"]
        assert error(await hustings("dead", "redrive", f"{first}.grinder-grind-3"))[1][0] == (
            f"{first}.grinder-grind-3 is already redriven"
        )
        said = await hustings("dead", "redrive", "--team", mill.name, "--cause", "raised", "--newer", "-o", "json")
        assert (said.code, {row["status"] for row in said.json}) == (0, {"done"})
        assert {row["id"] for row in said.json} == {f"{second}.grinder-grind-0", f"{third}.grinder-grind-1"}
        assert len({row["redriven_by"] for row in said.json}) == 2
        assert (await hustings("dead", "ls", "--team", mill.name)).code == 0
        assert error(await hustings("dead", "redrive"))[1][1] == "neither an id nor a filter is given"
        assert (await hustings("dead", "redrive", "x.y", "--all")).code == 2
        said = await hustings("dead", "redrive", "--team", mill.name, "--all")
        assert (said.code, said.out) == (0, "nothing to redrive\n")


async def test_redrive_says_who_is_missing(mill: Mill, client: Client, hustings: Hustings) -> None:
    """Without a coordinator nobody would do it; nor if nobody of the agent's name is there, unless --force."""
    async with mill.working():
        run = await ground(client, 1)
    said = await hustings("dead", "redrive", "--run", run)
    assert error(said) == (
        2,
        [
            f"no coordinator of team {mill.name} is running",
            "so the tasks would not be done",
            "Start the team with `hustings up`.",
        ],
    )
    async with mill.coordinating():
        said = await hustings("dead", "redrive", "--run", run)
        assert error(said)[1][1] == "no agent grinder is running"
        assert error(await hustings("dead", "redrive", "--run", run, "--same-version")) == error(said)
        said = await hustings("dead", "redrive", "--run", run, "--force", "--execution-timeout", "0.5", "-o", "json")
        assert (said.code, [row["status"] for row in said.json]) == (5, ["dead"])
        assert said.json[0]["because"] == "the run failed: it took longer than 0.5 s"
        said = await hustings("dead", "redrive", "--run", run, "--force", "--no-wait", "-o", "json")
        assert (said.code, [row["status"] for row in said.json]) == (0, ["redriven"])
        async with mill.serving(mill.grinder("1.1.0")):
            assert (await client.run(said.json[0]["redriven_by"]).wait()).status == "decided"


# discard


async def test_discard_by_filter_wants_a_yes(mill: Mill, client: Client, hustings: Hustings) -> None:
    """Named by id it does not; and what was discarded says so on the log, and cannot be redriven."""
    async with mill.working():
        run = await ground(client, 0, 1, 2)
    said = await hustings("dead", "discard", "--run", run)
    assert error(said) == (
        2,
        ["nothing was discarded", f"it would discard 3 dead letters, the first is {run}.grinder-grind-0", "Add --yes."],
    )
    said = await hustings("dead", "discard", f"{run}.grinder-grind-2")
    assert (said.code, said.out) == (0, f"{run}.grinder-grind-2 discarded\n")
    said = await hustings("dead", "discard", "--run", run, "--yes", "--because", "old", "-o", "json")
    assert [row["id"] for row in said.json] == [f"{run}.grinder-grind-0", f"{run}.grinder-grind-1"]
    events = [entry.event for entry in await entries(client, run)]
    assert [(e.task, e.because) for e in events if isinstance(e, Discarded)] == [
        ("grinder-grind-2", ""), ("grinder-grind-0", "old"), ("grinder-grind-1", "old")
    ]  # fmt: skip
    assert error(await hustings("dead", "redrive", f"{run}.grinder-grind-2"))[1][0].endswith("is already discarded")
    said = await hustings("tail", "--all", "--run", run, "--count", str(len(events)))
    assert "cli discards the dead letter of grinder-grind-0: old" in said.out
    assert "grinder-grind-0 is dead after 2 attempts (raised): ValueError: piece 0 is a stone" in said.out
    shown = await hustings("show", run)
    assert f"dead letters: {run}.grinder-grind-0, {run}.grinder-grind-1, {run}.grinder-grind-2" in shown.out


# a run whose processes are gone when its letters are read

QUARRY = """
from hustings.agents import Specialist, Team
from hustings.protocols import Goal, Message, Outcome, RetryPolicy

class Hill(Goal): ...
class Rock(Message): ...
class Rocks(Outcome):
    rocks: list[Rock]

digger, blaster = Specialist("digger"), Specialist("blaster", version="0.1.0")

@digger.skill
def dig(hill: Hill) -> Rock:
    return Rock()

@blaster.skill
def blast(hill: Hill) -> Rock:
    raise ValueError("out of powder")

team = Team("quarry", goal=Hill, outcome=Rocks, specialists=[digger, blaster], retry=RetryPolicy(max_attempts=1))
"""


async def test_run_names_its_dead_letters_and_they_are_read_when_nothing_runs_any_more(tmp_path: Path) -> None:
    """In the report and on stderr, with the command that lists them; the store is enough to look at them."""
    place = Place(tmp_path)
    (place.folder / "quarry.py").write_text(QUARRY)
    said = await place.call("run", "quarry:team", "-o", "json")
    run = said.json["run"]
    assert (said.code, said.json["status"], said.json["dead"]) == (7, "partial", [f"{run}.blaster-blast"])
    assert f"1 dead letter: hustings dead ls --run {run}" in said.err.splitlines()
    listed = await place.call("dead", "ls", "--run", "@last", "-o", "json")
    assert (listed.code, [row["id"] for row in listed.json]) == (5, said.json["dead"])
    assert (await place.call("dead", "discard", run)).code == 0
    assert (await place.call("dead", "ls")).code == 0
    assert (await place.call("cancel", run)).code == 6
    await place.all_gone()


# cancel


async def test_cancel_ends_a_run_within_two_seconds_and_its_handlers_see_it(
    mill: Mill, client: Client, hustings: Hustings
) -> None:
    """It prints how the run ended; for a run that had ended before it is a note, and changes nothing."""
    mill.grinding = anyio.Event()
    async with mill.working():
        run = await client.ask(Grain(pieces=3))
        await heard(client, run.id, Assigned, task="grinder-grind-2")
        await mill.until(lambda: len(mill.ground) == 3)
        said = await hustings("cancel", run.id[:6], "--because", "wrong flour", "-o", "json")
        assert said.code == 0
        assert said.json["seconds"] < 2
        assert {name: said.json[name] for name in ("run", "team", "status", "because", "before")} == {
            "run": run.id, "team": mill.name, "status": "cancelled", "because": "wrong flour", "before": False
        }  # fmt: skip
        report = await run.wait()
        assert (report.status, report.because) == ("cancelled", "wrong flour")
        again = await hustings("cancel", run.id)
        assert again.code == 0
        assert again.out == f"run {run} of team {mill.name}: cancelled, it had already ended: wrong flour\n"
        assert await run.report() == report
        await mill.until(lambda: sorted(mill.stopped) == [(run.id, 0), (run.id, 1), (run.id, 2)])


async def test_cancel_without_a_coordinator_says_what_will_be(mill: Mill, client: Client, hustings: Hustings) -> None:
    """Code 1: the withdrawal is on the log, and the run ends as soon as a coordinator is up."""
    mill.grinding = anyio.Event()
    async with mill.serving(*mill.team.specialists):
        async with mill.coordinating("c1"):
            run = await client.ask(Grain(pieces=1))
            await heard(client, run.id, Assigned, task="grinder-grind-0")
        said = await hustings("cancel", run.id)
        assert said.code == 1
        assert said.out.startswith(f"run {run} of team {mill.name}: running, after 2")
        assert said.err.startswith(f"no coordinator of team {mill.name} ended it within 2")
        assert said.err.endswith("it ends when one is up\n")
        async with mill.coordinating("c2"):
            assert (await run.wait()).because == "by cli"
    assert (await hustings("cancel", "r-none")).code == 2
