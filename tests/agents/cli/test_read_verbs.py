"""The verbs that read: what they print of a real log on a real broker, and what they say when there is none."""

import inspect
import json
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import anyio
import pytest
from structlog.testing import capture_logs

from hustings.agents import Specialist, Team, majority, unopposed
from hustings.agents.cli import Settings, main
from hustings.agents.testing import running, serving
from hustings.bus import Bus, embedded, open_bus
from hustings.protocols import (
    Amount,
    Assigned,
    AttemptAbandoned,
    Claim,
    Concluded,
    DeadLetter,
    Discarded,
    Entry,
    Event,
    Goal,
    GoalAsked,
    Message,
    NotFound,
    Outcome,
    Result,
    RetryPolicy,
    RunAcquired,
    Spent,
    Subject,
    Verdict,
)
from hustings.protocols import Testimony as Heard  # pytest would collect it under its own name
from hustings.protocols.envelope import seal

pytestmark = pytest.mark.processes

reach = import_module("hustings.agents.cli.frame.session")
describe = import_module("hustings.agents.views.text").describe
TITLE = "\x1b]0;owned\x07"  # sets the title of a terminal that obeys
READING = (["runs"], ["show", "@last"], ["replay", "@last"], ["tail", "--all"], ["agents"], ["tail"],
           ["dead", "ls"], ["dead", "show", "x"], ["dead", "redrive", "--all"], ["cancel", "x"])  # fmt: skip


class Mood(Goal):
    note: "Note"


class Note(Message):
    text: str


class Moods(Outcome):
    verdicts: list[Verdict]


Mood.model_rebuild()


def witness(name: str, value: str) -> Specialist:
    specialist = Specialist(name, f"finds it {value} {TITLE}")

    @specialist.skill
    def judge(note: Note) -> Heard:
        if note.text == value:
            raise ValueError(f"{TITLE}no {value} for me")
        return Heard(claims=(Claim(about=f"{TITLE}mood", value=value),))

    return specialist


moody = Team(
    name="moody",
    goal=Mood,
    outcome=Moods,
    specialists=[witness("happy", "good"), witness("joyful", "good"), witness("sour", "bad")],
    arbiters=[unopposed, majority],
    retry=RetryPolicy(max_attempts=1),
)


class Said(NamedTuple):
    code: object
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def rows(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Said]


async def record(home: Path) -> None:
    """Four runs of two teams: forged, never driven, decided, partial; in this order."""
    async with embedded(home, durability="process") as url:
        async with open_bus(url, "other", name="test") as bus:
            asked = GoalAsked(type=f"{TITLE}Mood.v1", goal={}, by="mallory")
            at = await bus.log.ask("forged", asked, client="mallory")
            end = Concluded(status="decided", because=TITLE, state_hash="0" * 64, at=at)
            await bus.log.append("forged", [RunAcquired(instance="x"), end], after=0, source="x")
            await bus.log.ask("waiting", asked, client="mallory")
        async with running(moody, url) as client:
            for run, text in (("mood-decided", "so so"), ("mood-partial", "bad")):
                await (await client.ask(Mood(note=Note(text=text)), run=run)).wait()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store, and no broker on it: the verbs that look back start one."""
    folder = tmp_path_factory.mktemp("home")
    with capture_logs():  # which structlog would write to stdout
        reach.go(record, folder)
    return folder


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run the command line in that folder's environment, or in another's."""
    for name in [name for name in os.environ if name.startswith("HUSTINGS_")] + ["NATS_URL", "NO_COLOR", "FORCE_COLOR"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HUSTINGS_DURABILITY", "process")
    monkeypatch.chdir(tmp_path)

    def call(*args: str, at: Path = home, url: str = "") -> Said:
        monkeypatch.setenv("HUSTINGS_HOME", str(at))
        monkeypatch.setenv("HUSTINGS_URL", url)
        with pytest.raises(SystemExit) as end:
            main(args)
        said = Said(end.value.code, *capsys.readouterr())
        assert "\x1b" not in said.out + said.err
        assert "Traceback" not in said.err
        return said

    return call


# runs and show


def test_runs_lists_all_teams_newest_first(run: Run) -> None:
    rows = run("runs", "-o", "json").json
    assert [(row["run"], row["team"], row["status"]) for row in rows] == [
        ("mood-partial", "moody", "partial"),
        ("mood-decided", "moody", "decided"),
        ("waiting", "other", "running"),
        ("forged", "other", "decided"),
    ]
    assert list(rows[0]) == ["run", "team", "status", "time", "seconds", "because"]
    assert [row["run"] for row in run("runs", "-o", "jsonl", "--limit", "2").rows] == ["mood-partial", "mood-decided"]
    assert [row["run"] for row in run("runs", "-o", "json", "--team", "other").json] == ["waiting", "forged"]


def test_a_failure_is_explained_from_the_log_alone(run: Run, home: Path, tmp_path: Path) -> None:
    """The place and the text in `show`, the traceback in `dead show` and, folded, in the report."""
    raising = inspect.getsource(witness).splitlines()
    line = witness.__code__.co_firstlineno + next(n for n, row in enumerate(raising) if "raise" in row)
    shown = run("show", "mood-partial").out
    assert re.search(rf"test_read_verbs\.py:{line}: ValueError: no (good|bad) for me", shown)
    (failed,) = run("show", "mood-partial", "-o", "json").json["failed"]
    assert failed["values"]["note"].startswith("Note(text='")
    assert f"    note = {failed['values']['note']}" in shown.splitlines()
    whole = run("dead", "show", f"mood-partial.{failed['task']}").out
    assert "frames of hustings" in whole
    assert f'test_read_verbs.py", line {line}, in judge' in whole
    assert "note = Note(text='bad')" in whole
    page = tmp_path / "page.html"
    run("export", "mood-partial", "--html", str(page))
    text = page.read_text()
    assert "Failed attempts" in text
    assert text[text.index("Failed attempts</h2>") :].startswith("Failed attempts</h2><details open>")
    assert f", line {line}, in judge" in text


def test_runs_for_people(run: Run) -> None:
    lines = run("runs").out.splitlines()
    assert lines[0].split() == ["RUN", "TEAM", "STATUS", "ASKED", "TOOK", "BECAUSE"]
    assert "mood-partial" in lines[1]
    assert "no bad for me" in lines[1]
    assert "owned" not in lines[1]
    assert " s ago " in lines[1]


def test_a_team_that_is_not_there(run: Run) -> None:
    said = run("runs", "--team", "mody")
    assert (said.code, said.err.splitlines()) == (
        2,
        ["error: there is no team mody here", "  why: the teams here: moody, other", "  try: Did you mean moody?"],
    )


@pytest.mark.parametrize(
    ("name", "found"),
    [("@last", "mood-partial"), ("@prev", "mood-decided"), ("mood-d", "mood-decided"), ("forged", "forged")],
)
def test_a_run_is_found_by_any_of_its_names(run: Run, name: str, found: str) -> None:
    assert run("show", name, "-o", "json").json["run"] == found


def test_a_run_that_is_not_there(run: Run) -> None:
    said = run("show", "nothing")
    assert said.code == 2
    assert said.err.splitlines()[:2] == [
        "error: there is no run nothing",
        "  why: the newest are mood-partial, mood-decided, waiting, forged",
    ]
    said = run("replay", "mood")
    assert said.code == 2
    assert "they are mood-partial of moody, mood-decided of moody" in said.err
    assert run("show", "forged", "--team", "moody").code == 2


def test_show_gives_the_report(run: Run) -> None:
    report = run("show", "mood-decided", "-o", "json").json
    assert set(report) == {
        "run", "team", "status", "because", "outcome", "verdicts", "missing", "dead", "failed", "due", "spent",
        "state_hash", "events", "seconds", "models",
    }  # fmt: skip
    assert (report["status"], report["spent"]["tasks"]) == ("decided", 3)
    assert [verdict["value"] for verdict in report["verdicts"]] == ["good"]


def test_show_for_people(run: Run) -> None:
    text = run("show", "mood-partial").out
    assert "status   partial: without sour: " in text
    assert "STEP" in text
    assert [line.split()[2] for line in text.splitlines() if "-judge  " in line] == ["done", "done", "lost"]
    assert "1 matter, 0 of them conflicts: 1 by unopposed" in text
    assert "missing\n  sour: " in text
    assert "owned" not in text.partition("outcome\n")[0]
    assert "not planned" in run("show", "waiting").out


# replay


def test_replay_comes_to_the_recorded_hash(run: Run) -> None:
    summary = run("replay", "mood-decided", "-o", "json").json
    shown = run("show", "mood-decided", "-o", "json").json
    assert summary["same"] is True
    assert summary["state_hash"] == summary["recorded_hash"] == shown["state_hash"]
    assert summary["events"] == shown["events"]
    assert list(summary) == ["run", "team", "state_hash", "recorded_hash", "same", "events"]


def test_replay_steps_through_in_words(run: Run) -> None:
    said = run("replay", "mood-partial", "--pace", "1000")
    lines = said.out.splitlines()
    for line, words in zip(
        lines, ("client asks for Mood.v1", "has acquired the run", "planned: 3 steps"), strict=False
    ):
        assert words in line
    assert any("gives happy-judge to happy" in line for line in lines)
    assert any("joyful-judge done in" in line and line.endswith(": 1 claim") for line in lines)
    assert any("sour-judge failed (raised): " in line for line in lines)
    assert any("1 matter, 0 of them conflicts, before outcome.verdicts" in line for line in lines)
    assert lines[-1].startswith("state hash ")
    assert lines[-1].endswith(" — as recorded")
    assert said.code == 0


def test_replay_as_json_lines_ends_with_the_summary(run: Run) -> None:
    rows = run("replay", "mood-decided", "-o", "jsonl").rows
    assert rows[-1]["same"] is True
    assert rows[-1]["events"] == len(rows) - 1
    assert list(rows[0]) == ["sequence", "time", "seconds", "author", "type", "says"]


def test_replay_of_another_state_fails(run: Run) -> None:
    said = run("replay", "forged")
    assert said.code == 1
    assert f"but the recorded hash is {'0' * 64}" in said.out
    assert said.err.splitlines()[0] == "error: run forged does not replay to the recorded state"
    said = run("replay", "forged", "-o", "json")
    assert (said.code, said.json["same"]) == (1, False)


def test_replay_of_a_run_that_goes_on(run: Run) -> None:
    said = run("replay", "waiting", "-o", "json")
    assert (said.code, said.json["same"], said.json["recorded_hash"]) == (0, None, None)


# tail


def test_tail_of_what_was_said(run: Run) -> None:
    lines = run("tail", "--all", "--run", "mood-d", "--count", "3").out.splitlines()
    assert lines[0].split(maxsplit=2)[1:] == ["client", "client asks for Mood.v1"]
    assert len(lines) == 3
    rows = run("tail", "--since", "1h", "--team", "other", "--count", "4", "-o", "jsonl").rows
    assert [row["type"] for row in rows] == [
        GoalAsked.__contract__,
        RunAcquired.__contract__,
        Concluded.__contract__,
        GoalAsked.__contract__,
    ]
    assert rows == run("tail", "--all", "--team", "other", "--count", "4", "--raw").rows


@pytest.mark.parametrize("args", [["--since", "soon"], ["--since", "1h", "--all"], ["--new", "--all"]])
def test_tail_refuses_what_makes_no_sense(run: Run, args: list[str]) -> None:
    assert run("tail", *args).code == 2


# who is there


async def test_an_agent_in_two_versions(run: Run, tmp_path: Path) -> None:
    """As while it is upgraded: both are named."""
    newer = witness("sour", "bad")
    newer.version = "1.10.0"
    async with moody_at(tmp_path) as url, serving(newer, url, "moody"):
        said = await anyio.to_thread.run_sync(lambda: run("agents", at=tmp_path / "none", url=url))
        (row,) = [line for line in said.out.splitlines() if "/sour" in line]
        assert row.split()[:4] == ["moody/sour", "1.0.0,", "1.10.0", "2"]


async def test_the_living(run: Run, tmp_path: Path) -> None:
    async with moody_at(tmp_path) as url:

        async def call(*args: str) -> Said:
            return await anyio.to_thread.run_sync(lambda: run(*args, at=tmp_path / "none", url=url))

        rows = [row for row in (await call("agents", "-o", "json")).json if row["agent"] != "coordinator"]
        assert [(row["team"], row["agent"]) for row in rows] == [
            ("moody", name) for name in ("happy", "joyful", "sour")
        ]
        assert (rows[0]["instances"], rows[0]["skills"][0]["witness"]) == (1, True)
        assert (
            "judge(note: Note.v1) -> hustings.Testimony.v1 (witness)" in (await call("agents", "--team", "moody")).out
        )
        card = (await call("agents", "sour", "-o", "json")).json
        assert "text" in card["schemas"]["Note.v1"]["properties"]
        assert "sour 1.0.0: finds it bad" in (await call("agents", "moody/sour")).out
        missing = await call("agents", "sower")
        assert (missing.code, missing.err.splitlines()[-1]) == (2, "  try: Did you mean sour?")
        row = {"team": "moody", "agent": "sour", "process": None, "status": "present", "instances": 1}
        assert row.items() <= (await call("ps", "-o", "json")).json[-1].items()
        checks = {row["check"]: row for row in (await call("doctor", "-o", "json")).json}
        assert checks["agents"]["status"] == checks["url"]["status"] == "ok"


@asynccontextmanager
async def moody_at(home: Path) -> AsyncIterator[str]:
    """The URL where the team is at work in this process."""
    with capture_logs():
        async with embedded(home, durability="process") as url, running(moody, url):
            yield url


async def test_tail_of_what_is_said_now_until_interrupted(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hustings.agents.cli", "tail", "--raw"]
    async with embedded(tmp_path, durability="process") as url, open_bus(url, "moody", name="test") as bus:
        asked = GoalAsked(type="Mood.v1", goal={}, by="test")
        await bus.log.ask("old", asked, client="test")
        async with await anyio.open_process(command, env=os.environ | {"HUSTINGS_URL": url}) as tail:
            assert tail.stdout
            assert tail.stderr
            async with anyio.create_task_group() as group:
                group.start_soon(_ask_on, bus, asked)
                line = await tail.stdout.receive()
                group.cancel_scope.cancel()
            tail.send_signal(signal.SIGINT)
            assert await tail.wait() == 130
            assert (await tail.stderr.receive()).endswith(b"shown; the runs go on\n")
    assert json.loads(line.splitlines()[0])["runid"].startswith("new")


async def _ask_on(bus: Bus, asked: GoalAsked) -> None:
    """Until the other side listens, of which nothing tells."""
    for number in count():
        await bus.log.ask(f"new-{number}", asked, client="test")


def test_ps_reads_what_up_writes(run: Run, tmp_path: Path) -> None:
    child = {"name": "sour.2", "pid": 7, "state": "running", "restarts": 2, "exit_code": None, "ready": True}
    up = {"team": "moody", "pid": os.getpid(), "url": "nats://127.0.0.1:1", "children": [child]}
    (tmp_path / "up-moody.json").write_text(json.dumps(up))
    (tmp_path / "up-dead.json").write_text(json.dumps(up | {"team": "dead", "pid": 2**22 + 1}))
    (tmp_path / "up-odd.json").write_text("{")
    assert run("ps", "-o", "json", at=tmp_path).json == [
        {
            "team": "moody", "agent": "sour", "process": "sour.2", "status": "running", "pid": 7, "restarts": 2,
            "supervisor": os.getpid(), "instances": 1,
        }
    ]  # fmt: skip
    heads = ["TEAM", "PROCESS", "STATUS", "PID", "RESTARTS", "WHERE"]
    assert run("ps", at=tmp_path).out.splitlines()[0].split() == heads
    (tmp_path / "up-moody.json").write_text(json.dumps(up | {"children": [child | {"ready": False}]}))
    assert run("ps", "-o", "json", at=tmp_path).json[0]["status"] == "starting"


def test_ps_where_nothing_runs(run: Run, tmp_path: Path) -> None:
    """That is an answer and no error; where a URL names a broker that is not there, it is one."""
    said = run("ps", at=tmp_path)
    assert (said.code, said.out, said.err) == (0, f"nothing is running in {tmp_path}\n", "")
    assert run("ps", "-o", "json", at=tmp_path).json == []
    assert run("ps", url="nats://127.0.0.1:1").code == 6


# no broker


@pytest.mark.parametrize("args", READING, ids=lambda args: " ".join(args))
def test_without_a_broker_it_is_three_lines(run: Run, tmp_path: Path, args: list[str]) -> None:
    said = run(*args, at=tmp_path / "none")
    assert (said.code, said.out) == (6, "")
    assert [line.partition(":")[0] for line in said.err.splitlines()] == ["error", "  why", "  try"]
    assert said.err.startswith(f"error: no broker runs in {tmp_path / 'none'}")
    assert not (tmp_path / "none").exists()


def test_with_a_url_where_nobody_is(run: Run, tmp_path: Path) -> None:
    assert run("runs", url="nats://token@127.0.0.1:1").code == 6
    said = run("doctor", "-o", "json", url="nats://token@127.0.0.1:1")
    failed = [row for row in said.json if row["status"] == "fail"]
    assert (said.code, [row["check"] for row in failed]) == (6, ["url"])
    assert "token" not in said.out


# doctor


def test_doctor(run: Run, tmp_path: Path) -> None:
    said = run("doctor", "-o", "json", at=tmp_path)
    assert said.code == 0
    states = {row["check"]: row["status"] for row in said.json}
    assert list(said.json[0]) == ["check", "status", "says", "try"]
    assert {
        "python", "versions", "nats-server", "broker", "uvloop", "file", "providers", "permissions", "walls", "home",
        "url", "disk", "agents", "logs", "demo",
    } == set(states)  # fmt: skip
    assert states["broker"] == states["nats-server"] == "ok"
    assert "stores a message in" in run("doctor").out


def test_doctor_looks_at_the_file_the_keys_and_who_may_read_them(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider of hustings.toml without a key, and a key that others may read, are named with a hint."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    file, key = tmp_path / "hustings.toml", tmp_path / "key"
    file.write_text('[providers.ours]\nkind = "openai"\nbase_url = "http://127.0.0.1:9"\nkey_file = "key"\n')
    rows = {row["check"]: row for row in run("doctor", "-o", "json", at=tmp_path).json}
    assert rows["file"]["says"] == str(file)
    assert (rows["providers"]["status"], rows["permissions"]["status"]) == ("warn", "ok")
    assert rows["providers"]["says"].startswith("ready: anthropic; ")
    assert "ours: there is no key" in rows["providers"]["says"]
    key.write_text("sk-2")
    key.chmod(0o644)
    rows = {row["check"]: row for row in run("doctor", "-o", "json", at=tmp_path).json}
    assert rows["providers"]["says"].startswith("ready: anthropic, ours")
    assert (rows["permissions"]["status"], rows["permissions"]["try"]) == ("warn", f"`chmod go-rwx {key}`")
    key.chmod(0o600)
    tmp_path.chmod(0o755)
    rows = {row["check"]: row for row in run("doctor", "-o", "json", at=tmp_path).json}
    assert rows["permissions"]["try"] == f"`chmod go-rwx {tmp_path}`"
    tmp_path.chmod(0o700)
    said = run("doctor", "-o", "json", at=tmp_path)
    assert {row["check"]: row for row in said.json}["permissions"]["status"] == "ok"
    assert "sk-" not in said.out


def test_doctor_says_that_a_disk_is_nearly_full(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what is free, and what can be done; it is a warning."""
    disk = SimpleNamespace(total=10**12, free=5 * 10**10)
    looking = SimpleNamespace(disk_usage=lambda _: disk, which=shutil.which)
    monkeypatch.setattr(import_module("hustings.agents.cli.verbs.doctor"), "shutil", looking)
    (row,) = [row for row in run("doctor", "-o", "json", at=tmp_path).json if row["check"] == "disk"]
    assert (row["status"], row["says"].partition(":")[0]) == ("warn", "50 GB of 1.0 TB are free")
    assert "hustings rm --older" in row["try"]


def test_doctor_on_a_home_that_cannot_be(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = run("doctor", "-o", "json", at=tmp_path / "file" / "home")
    assert said.code == 1
    assert [row["check"] for row in said.json if row["status"] == "fail"] == ["home"]


# the shared parts


def test_the_broker_of_a_home_is_started_and_teams_are_found(home: Path) -> None:
    settings = Settings("text", "never", None, home, debug=False, durability="process")

    async def scenario() -> None:
        async with reach.broker(settings, start="always") as url, reach.broker(settings) as same:
            assert url == same
            assert await reach.teams(url) == ["moody", "other"]
            assert await reach.find(url, "@last", "other") == ("other", "waiting")
            with pytest.raises(NotFound):
                await reach.find(url, "@prev", "nobody")

    reach.go(scenario)


def test_words_do_not_believe_strangers() -> None:
    end = Concluded(status="decided", because="trust me", state_hash="", at=1)
    lie = Entry(9, Subject("r1", "mallory", "event", ("concluded",)), 0.0, seal(end, source="coordinator", run="r1"))
    assert describe(lie) == "ignored: mallory may not write hustings.run.concluded.v1"
    bytes_only = Entry(9, Subject("r1", "mallory", "result", ()), 0.0, None, "not\nJSON \x1b[31m")
    assert describe(bytes_only) == "unreadable bytes from mallory: not JSON"
    said = Result(task="t", attempt=1, agent="a", output=[1, 2], seconds=0.412)
    result = Entry(9, Subject("r1", "a", "result", ("t", "1")), 0.0, seal(said, source="a", run="r1"))
    assert describe(result) == "t done in 0.41 s: 2 elements"


@pytest.mark.parametrize(
    ("author", "kind", "event", "words"),
    [
        ("ann", "spend", Spent(task="t", attempt=1, agent="ann", amount=Amount(calls=2, money=0.5)),
         "t reserves 2 calls, 0.5 money"),
        ("ann", "spend", Spent(task="t", attempt=1, agent="ann", amount=Amount(tokens=-7)), "t returns 7 tokens"),
        ("ann", "discard", Discarded(task="t", by="ann"), "ann discards the dead letter of t"),
        ("ann", "goal", Discarded(task="t", by="ann"),
         "ignored: ann may not write hustings.task.discarded.v1"),
        (
            "coordinator",
            "event",
            AttemptAbandoned(task="t", attempt=2, because="silence"),
            "attempt 2 of t abandoned: silence",
        ),
        ("coordinator", "event",
         DeadLetter(task="t", agent="ann", skill="s", attempts=1, kind="killed", because="no\nidea"),
         "t is dead after 1 attempt (killed): no idea"),
        ("mallory", "event", DeadLetter(task="t", agent="ann", skill="s", attempts=1, kind="killed", because=""),
         "ignored: mallory may not write hustings.task.deadletter.v1"),
        ("ann", "goal", GoalAsked(type="G.v1", goal={}, by="ann", redrives="r0", again=(
            Assigned(task="t", step="t", agent="a", attempt=1, skill="s", input={}, deadline=0.0),)),
         "ann asks for 1 task of r0 once more"),
    ],
)  # fmt: skip
def test_every_event_has_words(author: str, kind: str, event: Event, words: str) -> None:
    assert describe(Entry(9, Subject("r1", author, kind, ()), 0.0, seal(event, source=author, run="r1"))) == words
