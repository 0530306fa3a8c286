"""Every field of a goal can be given on the command line, and none is ever taken for something else."""

import datetime as dt
import decimal
import enum
import io
import json
import sys
import uuid
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal, NamedTuple

import click
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import Field, JsonValue

from hustings.agents import Specialist, Team
from hustings.agents.cli import main
from hustings.agents.cli.verbs.goal import Asked, parse
from hustings.protocols import Goal, Message, Outcome, UsageError


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Point(Message):
    x: int
    y: int = 0


class Ask(Goal):
    text: str = "unsaid"
    flag: bool = True
    count: int = 1
    ratio: float = 0.5
    many: list[int] = []
    words: tuple[str, ...] = ("unsaid",)
    tags: frozenset[str] = frozenset()
    where: Path = Path()
    colour: Colour = Colour.RED
    size: Literal[1, 2] = 1
    when: dt.datetime | None = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    price: decimal.Decimal = decimal.Decimal(1)
    wait: dt.timedelta = dt.timedelta()
    ident: uuid.UUID | None = None
    point: Point = Point(x=1)
    points: list[Point] = []
    table: dict[str, int] = {}
    either: int | str = 1
    eithers: list[int | str] = []
    anything: JsonValue = None
    ranged: Annotated[int, Field(ge=1, le=3)] = 1
    sizes: list[Literal[1, 2]] = []
    pair: tuple[int, str] = (1, "a")
    maybe: list[str] | None = None
    nested: list[list[int]] = []
    aliased: str = Field(default="", alias="from")


class Crawl(Goal):
    """Has fields with the names of all that the command has."""

    url: str = ""
    output: str = ""
    color: str = ""
    debug: bool = False
    skip: list[str] = []
    only: list[str] = []
    execution_timeout: float = 0
    apply: bool = False
    verbose: bool = False
    durability: str = ""
    help: str = ""
    topic: str = ""


class Done(Outcome): ...


def team(goal: type[Goal]) -> Team:
    return Team("writers", goal=goal, outcome=Done, specialists=[Specialist("writer")])


def asked(*arguments: str) -> Ask:
    return Ask.model_validate_json(json.dumps(parse(team(Ask), "t:team", arguments).values), by_name=True)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("--text true", "true"),
        ("--text=-5", "-5"),
        ("--text 5", "5"),
        ('--text "5"', '"5"'),
        ("--text null", "null"),
        ("--text @@x", "@x"),
        ("--text=", ""),
        ("--text --count", "--count"),
        ("--goal.text x", "x"),
        ("--flag", True),
        ("--flag true", True),
        ("--flag no", False),
        ("--no-flag", False),
        ("--flag=0", False),
        ("--count -5", -5),
        ("--count 007", 7),
        ("--ratio 1", 1.0),
        ("--ratio .5", 0.5),
        ("--ratio -1e3", -1000.0),
        ("--many 1 --many -2", [1, -2]),
        ("--many [1,2]", [1, 2]),
        ("--many []", []),
        ("--words a --words b", ("a", "b")),
        ("--words []", ()),
        ("--words [1]", ("[1]",)),
        ("--tags a --tags a", frozenset("a")),
        ("--where /tmp", Path("/tmp")),
        ("--colour blue", Colour.BLUE),
        ("--size 2", 2),
        ("--when null", None),
        ("--when 2026-01-02T03:04:05Z", dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)),
        ("--price 0.10", decimal.Decimal("0.10")),
        (f"--ident {uuid.UUID(int=5)}", uuid.UUID(int=5)),
        ('--point {"x":2}', Point(x=2)),
        ('--points {"x":2} --points {"x":3}', [Point(x=2), Point(x=3)]),
        ('--table {"a":1}', {"a": 1}),
        ("--either 5", 5),
        ("--either x", "x"),
        ('--either "5"', "5"),
        ('--eithers 5 --eithers "5"', [5, "5"]),
        ("--eithers [5,6]", [5, 6]),
        ('--anything {"a":[null]}', {"a": [None]}),
        ("--anything word", "word"),
        ("--sizes 1 --sizes 2", [1, 2]),
        ("--pair 3 --pair 4", (3, "4")),
        ("--maybe a", ["a"]),
        ("--nested [1,2] --nested [3]", [[1, 2], [3]]),
        ("--nested [[1],[3]]", [[1], [3]]),
        ("--aliased x", "x"),
    ],
)
def test_every_field_can_be_given(line: str, value: object) -> None:
    name = line.split()[0].split("=")[0].removeprefix("--").removeprefix("goal.").removeprefix("no-")
    got = getattr(asked(*line.split()), name)
    assert (got, type(got)) == (value, type(value))


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("--count 0x10", "--count does not fit: it must be a whole number, not '0x10'"),
        ("--count 1.5", "--count does not fit: it must be a whole number"),
        ("--count true", "--count does not fit"),
        ("--ratio nan", "--ratio does not fit"),
        ("--ratio 1e999", "--ratio does not fit"),
        ("--ranged 9", "not 9"),
        ("--size 3", "--size does not fit: it must be 1 or 2"),
        ("--colour BLUE", "'red' or 'blue'"),
        ("--flag maybe", "--flag does not fit"),
        ("--table a=1", "--table does not fit: it must be an object"),
        ('--point {"y":1}', "--point does not fit: point.x is missing"),
        ("--many 1 --many x", "--many does not fit: many.1 must be"),
        ('--points [{"x":1},{"y":1}]', "--points does not fit: points.1.x is missing"),
        ('--points {"y":1}', "--points does not fit: points.0.x is missing"),
        ('--points [{"x":1', "--points does not fit: not JSON: it ends at line 1"),
        ('--point {"x":', "--point does not fit: not JSON: it ends at line 1"),
        ("--text @nowhere", "--text: nowhere cannot be read"),
        ("--flag --no-flag", "exclude each other"),
        ("--text \udc80", "--text is not text"),
    ],
)
def test_what_does_not_fit_is_named_with_the_reason(line: str, what: str) -> None:
    with pytest.raises(UsageError) as caught:
        asked(*line.split())
    assert what in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("line", ["--pair 3 4", "--cou 3", "--text", "x", "--topic x", "-t x"])
def test_nothing_is_abbreviated_or_left_over(line: str) -> None:
    with pytest.raises(click.UsageError):
        asked(*line.split())


def test_long_values_come_from_files_and_stdin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "long").write_text("a\n@b\n")
    (tmp_path / "table").write_text('{"a": 1}\n')
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("ä\n".encode())))
    got = asked("--text", f"@{tmp_path}/long", "--table", f"@{tmp_path}/table", "--words", "-", "--words", "b")
    assert (got.text, got.table, got.words) == ("a\n@b\n", {"a": 1}, ("ä\n", "b"))
    with pytest.raises(UsageError, match="stdin has been read"):
        asked("--text", "-", "--words", "-")


@pytest.mark.parametrize(
    ("line", "hint"),
    [("--when tomorrow", "for example 2026-01-31T12:00:00Z"), ("--wait 5m", "300 or PT5M is five minutes")],
)
def test_a_time_is_refused_with_an_example(line: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        asked(*line.split())
    assert hint in caught.value.hint


def test_the_name_of_a_file_is_no_value(tmp_path: Path) -> None:
    """The hint says how the file's content is given."""
    file = tmp_path / "rows.json"
    file.write_text("[]")
    for flag in ("--points", "--point"):
        with pytest.raises(UsageError) as caught:
            asked(flag, str(file))
        assert caught.value.hint == f"Did you mean @{file}?"
    assert asked("--points", f"@{file}").points == []


@given(st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from(["text", "words"]))
def test_a_text_is_the_one_that_was_typed(typed: str, name: str) -> None:
    """All but what names a file, stdin, or a whole list."""
    assume(typed != "-" and not (name == "words" and typed.startswith("[")))
    value = getattr(asked(f"--{name}=@{typed}" if typed.startswith("@") else f"--{name}={typed}"), name)
    assert value == (typed if name == "text" else (typed,))


class Tried(NamedTuple):
    """What `hustings run ARGS` came to: its exit code, and where it would begin, its settings, goal and wishes."""

    code: object
    began: list[tuple[Any, ...]]


Run = Callable[..., Tried]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    module = ModuleType("crawl")
    module.__dict__["team"] = team(Crawl)
    monkeypatch.setitem(sys.modules, "crawl", module)
    monkeypatch.chdir(tmp_path)
    began: list[tuple[Any, ...]] = []

    def go(pursue: object, settings: object, target: str, team: Team, asked: Asked, wishes: object) -> int:
        began.append((settings, asked, wishes))
        return 0

    monkeypatch.setattr(import_module("hustings.agents.cli.verbs.run"), "go", go)

    def call(*args: str) -> Tried:
        with pytest.raises(SystemExit) as end:
            main(["run", *args])
        return Tried(end.value.code, began)

    return call


BOTH = sorted(set(Crawl.model_fields) - {"topic", "help"})


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("value", ["={}", " {}", ""])
def test_a_flag_that_both_have_is_refused(run: Run, capsys: pytest.CaptureFixture[str], name: str, value: str) -> None:
    """Whatever stands behind it; the error has both ways to write it, and not the value."""
    name = name.replace("_", "-")
    assert run("crawl:team", "--topic", "x", *f"--{name}{value.format('s3cr3t')}".split()) == (2, [])
    said = capsys.readouterr()
    assert f"--goal.{name}" in said.err
    assert f"hustings run --{name} ... crawl:team" in said.err
    assert "s3cr3t" not in said.err
    assert said.out == ""


def test_both_ways_to_write_it_work(run: Run) -> None:
    before = ["--url", "nats://h:1", "--output", "json", "--execution-timeout", "5", "--skip", "writer", "--debug"]
    goal = [
        "--goal.url=http://x",
        "--goal.output",
        "a",
        "--goal.execution-timeout",
        "0",
        "--goal.skip=b",
        "--goal.debug",
    ]
    [(settings, asked, wishes)] = run(*before, "crawl:team", *goal, "--topic=-v").began
    assert (settings.url, settings.output, settings.debug) == ("nats://h:1", "json", True)
    assert (wishes.execution_timeout, wishes.skip) == (5, ("writer",))
    values = {"url": "http://x", "output": "a", "execution_timeout": 0, "skip": ["b"], "debug": True, "topic": "-v"}
    assert asked.values == values
    assert parse(team(Crawl), "crawl:team", asked.flags).values == values


def test_short_options_are_the_commands_everywhere(run: Run) -> None:
    [(settings, asked, _)] = run("-o", "json", "crawl:team", "--topic", "x", "-o", "jsonl", "-v", "-u", "h:1").began
    assert (settings.output, settings.url, settings.log, asked.values) == ("jsonl", "h:1", "info", {"topic": "x"})


def test_a_value_is_no_option(run: Run) -> None:
    """Of `--topic -v x` the topic is -v, and nobody knows what x is for."""
    assert run("crawl:team", "--topic", "-v", "x") == (2, [])
    [(settings, asked, _)] = run("crawl:team", "--topic", "-v").began
    assert (asked.values, settings.log) == ({"topic": "-v"}, "")


@pytest.mark.parametrize("arguments", [["--help"], ["--topic", "x", "-h"]])
def test_the_help_of_the_team_says_so(run: Run, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert run("crawl:team", *arguments) == (0, [])
    said = " ".join(capsys.readouterr().out.split())
    assert "--goal.url TEXT" in said
    assert "--topic TEXT" in said
    assert "before crawl:team, because the goal has fields of the same name" in said
