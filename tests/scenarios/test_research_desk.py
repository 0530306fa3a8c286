"""The research desk as its user has it: processes, real HTTP to an endpoint that plays the models, a cited answer."""

import re
from pathlib import Path

import anyio
import pytest

from hustings.agents.testing import FakeEndpoint, Reply, answers
from hustings.examples.research_desk.understudy import play
from hustings.protocols import Data

from .processes import Place

pytestmark = pytest.mark.processes

DESK = "hustings.examples.research_desk:team"
LIBRARY = Path(__file__).parent.parent.parent / "examples/research_desk/library"
QUESTION = "How long is the pier of Norrvik? When was the lighthouse lit for the first time?"
CANARY = "sk-canary-7f3a9c51e2"  # the key: it must be found nowhere afterwards


@pytest.mark.long
async def test_a_question_is_planned_read_settled_and_answered_with_citations(tmp_path: Path) -> None:
    """The plan is the model's, the readers disagree, a judge settles it, each quote is real, and the cost is told by
    agent and model. Replay comes to the same state and asks nobody; done again from the record, the work comes to the
    same, and by a reader with other instructions it misses. The key is in no byte that was written or said."""
    place = Place(tmp_path)
    with FakeEndpoint(play) as fake:
        place.env |= {"ANTHROPIC_BASE_URL": fake.url, "ANTHROPIC_API_KEY": CANARY}
        said = await place.call("run", DESK, "--question", QUESTION, "--library", str(LIBRARY), "-v")
        assert said.code == 0, said.err
        assert "planned: 6 steps" in said.err
        assert "How long is the pier of Norrvik: 397 metres. [1]" in said.out
        assert "CONFLICT  How long is the pier of Norrvik  [judged]" in said.out
        assert "CITATIONS  2 of 2 quotes stand where the citations say" in said.out
        bill = said.out[said.out.index("MODELS") :]
        for agent, model in (("planner", "opus-5-5"), ("reader", "sonnet-5-5"), ("skeptic", "haiku-5-5")):
            assert any(agent in row and model in row and "$0." in row for row in bill.splitlines()), bill
        asked = len(fake.calls)
        assert {call.headers["authorization"] for call in fake.calls} == {f"Bearer {CANARY}"}

        shown = (await place.call("show", "@last", "-o", "json")).json
        assert sum(row["calls"] for row in shown["models"]) == asked
        replayed = await place.call("replay", "@last", "--re-execute", DESK, "-o", "json")
        assert replayed.code == 0, replayed.err
        assert replayed.json["state_hash"] == shown["state_hash"]
        assert len(replayed.json["re_executed"]) == 8
        assert all(task["same"] for task in replayed.json["re_executed"])
        assert len(fake.calls) == asked, "a replay has called a model"

        (place.folder / "changed.py").write_text(CHANGED)
        await misses_by_name(place)
        assert len(fake.calls) == asked, "work that was done again has called a model"

        page = await place.call("export", "@last", "--html", "page.html")
        assert page.code == 0, page.err
        written = [said.out, said.err, replayed.out, replayed.err]
    assert [text for text in written if CANARY in text] == []
    assert telling(tmp_path) == []


def telling(folder: Path) -> list[Path]:
    """The files that hold the key, the broker's store among them."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".blk" for path in files), "the log of the broker is not among them"
    return [path for path in files if CANARY.encode() in path.read_bytes()]


CHANGED = """
import sys
from dataclasses import replace
from hustings.examples.research_desk import reader as module
module.READ += " Be brief."
from hustings.examples.research_desk import team
"""


async def misses_by_name(place: Place) -> None:
    """Done again by a reader with other instructions, the record has no answer for it, and says to which request."""
    again = await place.call("replay", "@last", "--re-execute", "changed:team", "-o", "json")
    assert again.code == 1
    assert re.search("reader-[ab] of reader does not give the recorded answer", again.err)
    assert [task["agent"] for task in again.json["re_executed"] if not task["same"]] == ["reader", "reader"]
    assert "no answer on record to a request to anthropic:claude-sonnet-5-5" in again.err


@pytest.mark.long
async def test_the_desk_plans_by_types_where_the_planner_is_not_understood(tmp_path: Path) -> None:
    """Three plans that name nobody are sent back, each with the reasons; then the fall-back plans, and the run ends."""
    place = Place(tmp_path)
    planned: list[str] = []

    def confused(body: Data) -> Reply:
        if str(body["system"]).startswith("You plan"):
            planned.append(str(body["messages"]))
            return answers({"steps": [], "outcome": [], "because": "no idea"})
        return play(body)

    with FakeEndpoint(confused) as fake:
        place.env |= {"ANTHROPIC_BASE_URL": fake.url, "ANTHROPIC_API_KEY": CANARY}
        said = await place.call("run", DESK, "--question", QUESTION, "--library", str(LIBRARY))
    assert said.code == 0, said.err
    assert len(planned) == 3
    assert "outcome.answer (one Cited.v1) is not bound" in planned[1]
    with anyio.fail_after(300):
        shown = await place.call("replay", "@last")
    assert "planned: " in shown.out
