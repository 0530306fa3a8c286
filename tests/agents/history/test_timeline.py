"""The timeline of a run: its cases, its bars and marks, its diagram; the same from the same log."""

import pytest

from hustings.agents.history.conflicts import Case, counted_once, lettered, people, versus
from hustings.agents.history.timeline import Bar, timeline_of
from hustings.agents.views.html.gantt import lanes
from hustings.agents.views.mermaid import sequence
from hustings.agents.views.unified_diff import files_of, lines_of
from hustings.agents.views.verdicts import what_stands
from hustings.protocols import Edit, Failure

from ..simulation import raised
from ..stories import board, play, story


def case(id: str) -> Case:
    return next(case for case in story().cases if case.matter == id)


def test_a_lineage_is_one_witness_and_the_guard_with_evidence_stands() -> None:
    found = case("C-1")
    assert [(side.letter, side.stands, side.agents) for side in found.sides] == [
        ("A", True, ("guard",)),
        ("B", False, ("flake", "ruff")),
    ]
    assert people(counted_once(found)) == "flake = ruff (pyflakes)"
    assert versus(found) == "guard against flake, ruff (1)"
    assert what_stands(found) == "keep old text, says guard"
    assert found.place == "a.py:2"


def test_what_a_proof_rejects_says_how_the_proof_went() -> None:
    (found,) = [case for case in story().cases if case.rejected]
    assert not found.contested
    assert what_stands(found) == "nothing stands"
    assert found.proving is not None
    assert found.proving.agent == "prover"
    assert list(found.proving.rejects.values()) == ["breaks test_it text"]


def test_a_tie_is_undecided() -> None:
    (found,) = [case for case in story().cases if case.kind == "contradiction"]
    assert found.undecided
    assert what_stands(found) == "left open: nothing stands"


def test_bars_and_marks_follow_the_log() -> None:
    told = story()
    assert {bar.lane for bar in told.bars} == {"ruff", "flake", "guard", "scribe", "prover"}
    assert [mark.kind for mark in told.marks] == ["planned", "opened", "settled", "concluded"]
    assert [bar.skill for bar in told.bars if bar.inquiry] == ["trial"]
    assert all(0 <= bar.asked <= bar.start <= bar.end <= told.seconds for bar in told.bars)


def test_a_failed_attempt_and_the_next_are_two_bars() -> None:
    run = play(board())
    once = iter([raised("boom")])
    again = play(board())
    first = again.skills["ruff.check"]
    run.skills["ruff.check"] = lambda given: next(once, None) or first(given)
    run.log.clear()
    run.__post_init__()
    run.run({"text": {"words": "text"}}, "Ask.v1")
    bars = [bar for bar in timeline_of("board", "r1", run.log).bars if bar.lane == "ruff"]
    assert [(bar.attempt, bar.status, bar.because) for bar in bars] == [(1, "failed", "boom"), (2, "done", "")]


def test_a_run_that_goes_on_is_told_so_far() -> None:
    log = play(board()).log
    cut = next(n for n, entry in enumerate(log) if entry.subject.author == "guard")
    told = timeline_of("board", "r1", log[:cut])
    assert told.report.status == "running"
    assert "open" in {bar.status for bar in told.bars}
    assert timeline_of("board", "r1", []).bars == ()


def test_the_same_log_gives_the_same_pictures() -> None:
    log = play(board()).log
    one, two = timeline_of("board", "r1", log), timeline_of("board", "r1", log)
    assert one == two
    assert sequence(one) == sequence(two)
    pictures = [lanes(told.lanes, told.bars, told.marks, told.seconds) for told in (one, two)]
    assert pictures[0] == pictures[1]


def test_many_tasks_at_once_are_drawn_together() -> None:
    bars = [Bar("busy", f"t-{n}", "check", 0.0, n * 0.01, n * 0.01 + 5, "done") for n in range(5000)]
    picture = lanes(["busy"], bars, [], 60.0)
    assert picture.count("<rect") < 20
    assert "tasks" in picture


def test_the_diagram_has_one_arrow_for_many_tasks_and_no_text_that_means_anything() -> None:
    told = story(board("end; alt <b>%%\n note over x: #35; ```"), "end; alt <b>%%\n note over x: #35; ```")
    text = sequence(told)
    assert text.startswith("sequenceDiagram\n")
    for line in text.splitlines()[1:]:
        assert line.strip().split(" ")[0].split("-")[0] in {
            "participant",
            "Note",
            "client",
            *(f"p{n}" for n in range(9)),
        }
        assert not set("<>%`") & set(line.partition(": ")[2])


@pytest.mark.parametrize(
    ("was", "text", "expected"),
    [
        ("a\nb\n", "a\nc\n", [(" ", 4, "a"), ("-", 5, "b"), ("+", 0, "c")]),
        ("a\n", "", [("-", 4, "a")]),
        ("", "a\n", [("+", 0, "a")]),
        ("a\n", "a", [("-", 4, "a"), ("+", 0, "a")]),
        ("a\n", "a\n", [(" ", 4, "a")]),
    ],
)
def test_an_edit_as_a_small_diff(was: str, text: str, expected: list[tuple[str, int, str]]) -> None:
    edit = Edit(resource="a.py", base="b", start=3, end=3 + was.count("\n"), was=was, text=text)
    assert [tuple(line) for line in lines_of(edit)] == expected


def test_a_long_edit_is_cut_and_does_not_take_long() -> None:
    edit = Edit(resource="a.py", base="b", start=0, end=20_000, was="x\n" * 20_000, text="x\ny\n" * 20_000)
    assert len(lines_of(edit)) == 121


def test_a_patch_by_files() -> None:
    patch = "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+b\n--- a/old.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"
    assert [(file.path, file.count("+"), file.count("-")) for file in files_of(patch)] == [
        ("x.py", 1, 1),
        ("old.py", 0, 1),
    ]


def test_letters_do_not_run_out() -> None:
    assert [lettered(n) for n in (0, 25, 26, 51, 52, 702)] == ["A", "Z", "AA", "AZ", "BA", "AAA"]


def test_a_proof_that_nobody_gave_says_so() -> None:
    run = play(board())
    run.skills["trial"] = lambda _: Failure(task="", attempt=0, agent="", kind="non_retryable", because="no tests here")
    run.log.clear()
    run.__post_init__()
    run.run({"text": {"words": "text"}}, "Ask.v1")
    fallen = [case for case in timeline_of("board", "r1", run.log).cases if case.rejected]
    assert fallen
    assert all(case.proving and "no tests here" in case.proving.because for case in fallen)
