"""`hustings conflicts`, `explain` and `export`: what they print of a recorded run, in words and as JSON."""

import json
import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from structlog.testing import capture_logs

from hustings.agents import Specialist, Team, independent, majority, unopposed
from hustings.agents.cli import main
from hustings.agents.testing import running
from hustings.bus import embedded
from hustings.protocols import Claim, Edit, Goal, Message, Outcome, Proposal, Verdict
from hustings.protocols import Testimony as Heard  # pytest would collect it under its own name

pytestmark = pytest.mark.processes

reach = import_module("hustings.agents.cli.frame.session")
EVIL = "\x1b]8;;http://evil\x07\x1b[31m<b>\u202e"


class Ask(Goal):
    note: "Note"


class Note(Message):
    text: str


class Settled(Outcome):
    verdicts: list[Verdict]


Ask.model_rebuild()


def witness(name: str, text: str, value: str, lineage: str = "") -> Specialist:
    specialist = Specialist(name, "a witness")

    @specialist.skill
    def judge(note: Note) -> Heard:
        edit = Edit(resource="a.py", base="b1", start=1, end=2, was="old\n", text=f"{text}\n")
        because = f"{note.text} {EVIL}"
        return Heard(
            claims=(Claim(about="a.py:risk", value=value, because=because),),
            proposals=(Proposal(edits=(edit,), because=because, lineage=lineage),),
        )

    return specialist


team = Team(
    name="jury",
    goal=Ask,
    outcome=Settled,
    specialists=[
        witness("ann", "left", "low", "shared"),
        witness("bob", "left", "high", "shared"),
        witness("cy", f"right {EVIL}", "high"),
        witness("dee", f"right {EVIL}", "high"),
    ],
    arbiters=[unopposed, independent, majority],
)


class Shown(NamedTuple):
    code: object
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Shown]


async def record(home: Path) -> None:
    async with embedded(home, durability="process") as url, running(team, url) as client:
        await (await client.ask(Ask(note=Note(text="so")), run="tried")).wait()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one recorded run, and no broker on it."""
    folder = tmp_path_factory.mktemp("home")
    with capture_logs():
        reach.go(record, folder)
    return folder


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    for name in [name for name in os.environ if name.startswith("HUSTINGS_")] + ["NATS_URL", "NO_COLOR", "FORCE_COLOR"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HUSTINGS_DURABILITY", "process")
    monkeypatch.setenv("HUSTINGS_HOME", str(home))
    monkeypatch.chdir(tmp_path)

    def call(*args: str) -> Shown:
        with pytest.raises(SystemExit) as end:
            main(args)
        return Shown(end.value.code, *capsys.readouterr())

    return call


def test_conflicts_are_a_list_with_the_matter_first(run: Run) -> None:
    rows = run("conflicts", "-o", "json").json
    assert [next(iter(row.items())) for row in rows] == [("matter", "C-1"), ("matter", "C-2")]
    edit = next(row for row in rows if row["kind"] == "collision")
    assert [(side["agents"], side["lineages"], side["stands"]) for side in edit["sides"]] == [
        (["cy", "dee"], ["cy", "dee"], True),
        (["ann", "bob"], ["shared"], False),
    ]
    assert (edit["rule"], edit["decided"]) == ("majority", True)


def test_conflicts_in_words_count_a_lineage_once(run: Run) -> None:
    shown = run("conflicts")
    assert "cy, dee (2) against ann, bob (1)" in shown.out
    assert "a.py:2" in shown.out
    assert "\x1b" not in shown.out


def test_conflicts_are_filtered(run: Run) -> None:
    assert len(run("conflicts", "--rule", "majority", "-o", "json").json) == 2
    assert run("conflicts", "--undecided", "-o", "json").json == []
    assert "2 by majority" in run("conflicts", "--rule", "nobody").out
    assert len(run("conflicts", "@last", "--all", "-o", "json").json) == 2


def test_explain_is_one_object(run: Run) -> None:
    (id,) = [row["matter"] for row in run("conflicts", "-o", "json").json if row["kind"] == "collision"]
    case = run("explain", id, "-o", "json").json
    assert next(iter(case)) == "matter"
    assert {"matter", "kind", "about", "contested", "barrier", "sides", "verdict", "proving"} == set(case)
    assert [source["agents"] for source in case["sides"][1]["sources"]] == [["ann", "bob"]]
    assert case["verdict"]["weights"]


def test_explain_shows_diffs_and_nothing_that_a_terminal_obeys(run: Run) -> None:
    (id,) = [row["matter"] for row in run("conflicts", "-o", "json").json if row["kind"] == "collision"]
    shown = run("explain", id.lower(), "tried").out
    for said in ("- old", "+ left", "+ right <b>", "one witness  ann = bob (shared)", "would flip", "dissent"):
        assert said in shown
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)


def test_explain_has_our_colours_only(run: Run) -> None:
    shown = run("explain", "C-1", "--color", "always").out
    assert "\x1b[" in shown
    assert not {"\x07", "\u202e"} & set(shown)
    assert "\x1b]" not in shown


def test_an_id_that_is_not_there_says_what_is(run: Run) -> None:
    shown = run("explain", "C-11")
    assert shown.code == 2
    assert "there are C-1 to C-2" in shown.err
    assert "did you mean C-1?" in shown.err


def test_export_writes_the_log_line_by_line(run: Run) -> None:
    rows = [json.loads(line) for line in run("export", "--jsonl").out.splitlines()]
    assert rows[0]["type"] == "hustings.goal.asked.v1"
    assert {row["specversion"] for row in rows} == {"1.0"}
    places = [int(row["sequence"]) for row in rows]
    assert places == sorted(set(places))


def test_export_writes_the_same_page_twice(run: Run, tmp_path: Path) -> None:
    assert "wrote report.html" in run("export", "@last", "--html").err
    first = (tmp_path / "report.html").read_text()
    assert run("export", "tried", "--html", "-").out == first
    assert "<b>\x1b" not in first


def test_export_draws_a_diagram(run: Run) -> None:
    shown = run("export", "--mermaid").out
    assert shown.startswith("sequenceDiagram\n")
    assert "p0->>p1: judge" in shown


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("export",), "nothing to write"),
        (("export", "--html", "@last"), "Put it first"),
        (("export", "--jsonl", "-", "--mermaid", "-"), "only one of them can go to stdout"),
        (("export", "--html", "/nowhere/x.html"), "cannot be written"),
    ],
)
def test_export_says_what_is_wrong(run: Run, args: tuple[str, ...], said: str) -> None:
    shown = run(*args)
    assert shown.code in (1, 2)
    assert said in shown.err
