"""`hustings show --models`, `export` and the report: what a model was asked, read back from a real log. The model is an
endpoint that speaks HTTP."""

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from hustings.agents import Specialist, TaskContext, Team
from hustings.agents.cli import main
from hustings.agents.models import tool
from hustings.agents.models.endpoints import Endpoints, Provider
from hustings.agents.models.fake import FakeEndpoint, calls, overloaded, says
from hustings.agents.testing import running
from hustings.bus import embedded
from hustings.protocols import Goal, Message, Outcome

pytestmark = pytest.mark.processes

reach = import_module("hustings.agents.cli.frame.session")
LONG = "\n".join(f"line {n} of the letter <script>" for n in range(200))
Show = Callable[..., str]


class Letter(Message):
    text: str


class Post(Goal):
    letter: Letter


class Answer(Message):
    text: str


class Reply(Outcome):
    answer: Answer


clerk = Specialist("clerk", "answers letters")


@clerk.skill
async def answer(letter: Letter, context: TaskContext) -> Answer:
    def look(name: str) -> str:
        """Look somebody up."""
        return f"{name} lives in \x1b]0;owned\x07Oslo"

    said = await context.model(str, instructions="Answer politely.", material=letter, tools=[tool(look)])
    return Answer(text=said)


office = Team(name="office", goal=Post, outcome=Reply, specialists=[clerk])
quiet = Team(name="quiet", goal=Post, outcome=Reply, specialists=[clerk], record="hash")


async def record(home: Path) -> None:
    """The model is overloaded once, calls a tool, and answers; then it answers a team that keeps only hashes."""
    script = [overloaded(), calls("look", {"name": "Ada"}), says("Dear Ada"), says("Dear Bob")]
    with FakeEndpoint(script=script) as fake:
        endpoints = Endpoints({"anthropic": Provider(kind="anthropic", base_url=fake.url)})
        async with embedded(home, durability="process") as url:
            for team, run in ((office, "letter"), (quiet, "secret")):
                async with running(team, url, endpoints=endpoints) as client:
                    await (await client.ask(Post(letter=Letter(text=LONG)), run=run)).wait()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    with capture_logs():
        reach.go(record, folder)
    return folder


@pytest.fixture
def show(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Show:
    monkeypatch.setenv("HUSTINGS_HOME", str(home))
    monkeypatch.setenv("HUSTINGS_DURABILITY", "process")
    for name in ("HUSTINGS_URL", "NATS_URL"):
        monkeypatch.delenv(name, raising=False)

    def call(*args: str) -> str:
        with pytest.raises(SystemExit) as end:
            main(args)
        out, err = capsys.readouterr()
        assert end.value.code == 0, err
        return out

    return call


def test_show_says_what_each_call_asked_and_cost(show: Show) -> None:
    """Each call on one line, then what it adds; long pieces are cut, and --full shows them whole."""
    short = show("show", "letter", "--models")
    first, second = (line for line in short.splitlines() if "claude" in line)
    assert "15 tokens, $0.0001" in first
    assert first.endswith("1 retry, tools")
    assert second.endswith("end")
    assert short.count("Answer politely.") == 1, "the second call adds only its last turn"
    assert "reply calls look" in short
    assert "Ada lives in Oslo" in short
    assert "\x1b" not in short
    assert "Dear Ada" in short
    assert "line 199" not in short
    assert "line 199" in show("show", "letter", "--models", "--full")
    assert "Answer politely." not in show("show", "letter")


def test_json_has_each_request_whole(show: Show) -> None:
    """What the second call sent is the first conversation, the reply to it, and what the tool said."""
    data = json.loads(show("show", "letter", "--models", "-o", "json"))
    assert data["run"] == "letter"
    first, second = data["model_calls"]
    assert second["request"]["turns"][:1] == first["request"]["turns"]
    assert second["request"]["instructions"].startswith("Answer politely.")
    assert [turn["role"] for turn in second["request"]["turns"]] == ["user", "assistant", "user"]
    assert (first["retries"], second["retries"], second["known"]) == (1, 0, 2)


def test_the_report_and_the_export_have_it(show: Show, tmp_path: Path) -> None:
    """The page has the words as text, never as markup; the exported log needs no object store."""
    page = tmp_path / "page.html"
    show("export", "letter", "--html", str(page))
    text = page.read_text()
    assert "What the models were asked" in text
    assert "line 199 of the letter" in text
    assert "<script>" not in text
    lines = [json.loads(line) for line in show("export", "letter", "--jsonl").splitlines()]
    assert any("line 199" in json.dumps(line) for line in lines if line["type"] == "hustings.model.called.v1")


def test_a_team_that_keeps_only_hashes_has_none_of_it(show: Show) -> None:
    """The setting reaches the member's call: no instructions on the log, only the answer."""
    shown = show("show", "secret", "--models")
    assert "only the hash of the request is on record" in shown
    assert "Dear Bob" in shown
    assert "Answer politely." not in shown + show("export", "secret", "--jsonl")
    assert "as recorded" in show("replay", "secret")
