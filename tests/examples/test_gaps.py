"""What could not run is counted and named with its reason, and no proof claims it."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hustings.agents import Completed, Limits, exit_code, run_contained
from hustings.agents import RunReport as Came
from hustings.examples.review_board import (
    Baseline,
    Bench,
    Outcome,
    Patch,
    Proving,
    Record,
    Report,
    ReviewProof,
    baseline,
    board,
    compare,
    read_sources,
    table,
    team,
    unified,
)
from hustings.protocols import Data

from .conftest import Write

pytestmark = pytest.mark.processes

MOD = "x = 1\n"
OTHER = "import mod\nimport pytest\n\n\n@pytest.mark.parametrize('n', range(%d))\ndef test_mod(n):\n    assert mod.x\n"
BETTER = Patch(diff=unified("mod.py", MOD, "x = 2\n"), edits=1, files=1)
LACKS = "No module named 'nowhere'"


BASELINE = import_module("hustings.examples.review_board.baseline")  # the front has the function of that name
SHARE = BASELINE.SHARE_FOR_A_SECOND


@pytest.fixture(autouse=True, scope="module")
def _once() -> Iterator[None]:
    """The baseline is run once, which is half of the time."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(BASELINE, "SHARE_FOR_A_SECOND", 0.0)
        yield


@pytest.fixture
def twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The baseline is run twice, as always."""
    monkeypatch.setattr(BASELINE, "SHARE_FOR_A_SECOND", SHARE)


def proof(root: Path, patch: Patch = BETTER, limits: Limits | None = None) -> ReviewProof:
    """Really run the tests before and after the patch."""
    bench, sources = Bench(root, limits), read_sources(root)
    return Proving(sources, bench, baseline(bench, sources)).prove(patch)


def gaps(said: ReviewProof) -> list[tuple[str, str, int]]:
    return [(gap.kind, gap.why, gap.count) for gap in said.gaps]


def came(said: ReviewProof) -> Came:
    """A run that ended with this proof."""
    outcome: Data = {"patch": BETTER.plain(), "proof": said.plain(), "verdicts": []}
    return Came(
        run="r", team="review", status="decided", because="", outcome=outcome, verdicts=(), missing=(), spent={},
        state_hash="", events=0, seconds=0,
    )  # fmt: skip


def told(said: ReviewProof) -> str:
    """The line about the proof, as `hustings run` prints it."""
    assert team.tell
    return next(line for line in team.tell(came(said)).splitlines() if line.startswith("PROOF"))


SKIPS = """
    import pytest

    @pytest.mark.parametrize("n", range({many}))
    def test_skips(n):
        pytest.importorskip("nowhere")
"""


def test_a_proof_holds_for_what_ran_and_names_the_others(write: Write) -> None:
    root = write({"mod.py": MOD, "test_mod.py": OTHER % 250, "test_skips.py": SKIPS.format(many=203)})
    said = proof(root)
    why = f"could not import 'nowhere': {LACKS}"
    assert (said.holds, said.proved, gaps(said)) == (True, 250, [("could not run", why, 203)])
    assert said.gaps[0].names == tuple(sorted(f"test_skips.py::test_skips[{n}]" for n in range(203)))
    assert told(said) == f"PROOF  holds for 250 tests; 203 could not run: {why} (203)"
    assert exit_code(came(said), Report) == 0


def test_a_proof_without_gaps_holds_for_all(write: Write) -> None:
    assert told(proof(write({"mod.py": MOD, "test_mod.py": OTHER % 3}))) == "PROOF  holds for all 3 tests"


def test_where_most_could_not_run_nothing_holds(write: Write) -> None:
    root = write({"mod.py": MOD, "test_mod.py": OTHER % 50, "test_skips.py": SKIPS.format(many=203)})
    said = proof(root)
    assert (said.holds, said.proved, exit_code(came(said), Report)) == (False, 50, 4)
    assert told(said).startswith(
        "PROOF  does not hold: only 50 tests passed before and after, which is not most of them; 203"
    )
    assert team.files(came(said)).keys() - {"review.sarif", "summary.md"} == {"unproved.patch"}


LACKING = {
    "a module that skips itself": ("import pytest\npytest.importorskip('nowhere')\n", "could not run"),
    "a module that cannot be collected": ("import nowhere\n", "could not run"),
    "a set-up that fails": (
        "import pytest\n@pytest.fixture\ndef f():\n    import nowhere\ndef test_it(f):\n    pass\n",
        "could not run",
    ),
    "a test that fails": ("def test_it():\n    import nowhere\n", "failed already"),
    "a test that is skipped": (
        f"import pytest\n@pytest.mark.skip(reason={LACKS!r})\ndef test_it():\n    pass\n",
        "could not run",
    ),
    "a test that is expected to fail": (
        f"import pytest\n@pytest.mark.xfail(reason={LACKS!r})\ndef test_it():\n    0 / 0\n",
        "fail as expected",
    ),
    "a test that is not even tried": (
        f"import pytest\n@pytest.mark.xfail(run=False, reason={LACKS!r})\ndef test_it():\n    0 / 0\n",
        "could not run",
    ),
}
BESIDE = {"mod.py": MOD, "test_mod.py": OTHER % 20, "test_more.py": OTHER % 1}


@pytest.mark.parametrize(("text", "kind"), LACKING.values(), ids=LACKING)
def test_whatever_did_not_pass_is_a_gap(text: str, kind: str, write: Write) -> None:
    said = proof(write({**BESIDE, "test_it.py": text}))
    [gap] = said.gaps
    assert (said.holds, said.proved, gap.kind, gap.count) == (True, 21, kind, 1)
    assert gap.names[0].startswith("test_it.py")
    assert LACKS in gap.why
    assert told(said).startswith(f"PROOF  holds for 21 tests; 1 {kind}: ")


def test_half_of_the_files_is_not_most_of_them(write: Write) -> None:
    """How many tests are in a module that cannot be collected nobody knows."""
    said = proof(write({"mod.py": MOD, "test_mod.py": OTHER % 20, "test_it.py": "import nowhere\n"}))
    assert (said.holds, said.proved) == (False, 20)
    assert f"1 could not run: ModuleNotFoundError: {LACKS} (1)" in told(said)


def test_a_test_may_put_anything_in_place_of_stderr(write: Write) -> None:
    fixture = "import io, sys\nimport pytest\n\n@pytest.fixture(autouse=True)\ndef own(monkeypatch):\n    "
    fixture += "monkeypatch.setattr(sys, 'stderr', io.StringIO())\n"
    said = proof(write({"mod.py": MOD, "conftest.py": fixture, "test_a.py": OTHER % 3}))
    assert (said.holds, said.proved, said.gaps) == (True, 3, ())


HIDING = {
    "by itself": "def pytest_collection_modifyitems(items):\n    items[:] = [i for i in items if 'it' not in i.name]\n",
    "by name": "collect_ignore = ['test_it.py']\n",
}


@pytest.mark.parametrize("conftest", HIDING.values(), ids=HIDING)
def test_what_the_repository_hides_from_pytest_is_a_gap(conftest: str, write: Write) -> None:
    said = proof(write({**BESIDE, "conftest.py": conftest, "test_it.py": "def test_it():\n    pass\n"}))
    [gap] = said.gaps
    assert (gap.count, gap.why.endswith("by the repository")) == (1, True)


def test_what_the_repository_deselects_does_not_count_against_the_rest(write: Write) -> None:
    """As with `-m "not stress"` in its own addopts."""
    settings = "[pytest]\nmarkers = stress\n"
    conftest = (
        "def pytest_collection_modifyitems(items):\n    items[:] = [i for i in items if 'stress' not in i.name]\n"
    )
    stress = OTHER.replace("def test_mod", "def test_stress") % 90
    said = proof(
        write(
            {
                "mod.py": MOD,
                "pytest.ini": settings,
                "conftest.py": conftest,
                "test_a.py": OTHER % 20,
                "test_s.py": stress,
            }
        )
    )
    assert (said.holds, said.proved, [(gap.kind, gap.count) for gap in said.gaps]) == (
        True,
        20,
        [("left out by the repository", 90)],
    )


def test_a_module_that_cannot_be_imported_is_named(write: Write) -> None:
    said = proof(write({**BESIDE, "extra.py": "import nowhere\n"}))
    assert gaps(said) == [("cannot be imported", f"ModuleNotFoundError: {LACKS}", 1)]
    assert said.gaps[0].names == ("extra",)
    assert told(said).startswith("PROOF  holds for 21 tests; 1 module cannot be imported: ")


def test_gaps_are_bounded_and_all_are_counted(write: Write) -> None:
    """A proof is one message, whatever a repository calls its tests and its reasons."""
    many = """
        import pytest

        @pytest.mark.parametrize("n", range(1500))
        def test_skips(n):
            pytest.skip("x" * 5000 + str(n % 50) if n % 2 else str(n))
    """
    said = proof(write({"mod.py": MOD, "test_mod.py": OTHER % 20, "test_skips.py": many}))
    assert (len(said.gaps), sum(gap.count for gap in said.gaps)) == (21, 1500)
    assert sum(len(gap.names) for gap in said.gaps) == 1000
    assert len(told(said)) < 1500


PASSES = "def test_first():\n    pass\n"
ENDS = {
    "a conftest that lacks an import": (
        {"conftest.py": "import nowhere\n"},
        ("conftest.py", LACKS, "before a test was found"),
    ),
    "a conftest that skips": (
        {"conftest.py": "import pytest\npytest.importorskip('nowhere')\n"},
        ("nowhere", "before a test was found"),
    ),
    "a plugin that is required": (
        {"pytest.ini": "[pytest]\nrequired_plugins = pytest-nowhere\n"},
        ("pytest-nowhere", "before a test was found"),
    ),
    "a module that ends the process": (
        {"test_b.py": "import os\nos._exit(0)\n"},
        ("exit code 0", "before a test was found"),
    ),
    "a plugin that fails": (
        {"conftest.py": "def pytest_runtest_logfinish(nodeid):\n    raise ValueError('oh')\n", "test_b.py": PASSES},
        ("ValueError: oh", "after 1 of 2 tests, of which 1 passed"),
    ),
}


@pytest.mark.parametrize(("files", "words"), ENDS.values(), ids=ENDS)
def test_a_run_that_ends_early_proves_nothing_and_says_why(
    files: Mapping[str, str], words: tuple[str, ...], write: Write
) -> None:
    said = proof(write({"mod.py": MOD, "test_a.py": PASSES, **files}))
    assert (said.holds, exit_code(came(said), Report)) == (False, 4)
    for word in ("do not come to an end before the patch", *words):
        assert word in told(said)
    assert "no test" not in told(said)


STOPS = {
    "it ends the process": ("import os\n\ndef test_b():\n    os._exit(0)\n", "exit code 0"),
    "it crashes": ("import os\n\ndef test_b():\n    os.kill(os.getpid(), 11)\n", "SIGSEGV"),
    "it ends the run": ("import pytest\n\ndef test_b():\n    pytest.exit('enough')\n", "enough"),
}


@pytest.mark.parametrize(("text", "why"), STOPS.values(), ids=STOPS)
def test_a_test_that_stops_the_run_is_set_aside_by_name(text: str, why: str, write: Write) -> None:
    said = proof(write({"mod.py": MOD, "test_a.py": PASSES, "test_b.py": text, "test_c.py": PASSES}))
    [gap] = said.gaps
    assert (said.holds, said.proved, gap.kind, gap.names) == (True, 2, "stopped the run", ("test_b.py::test_b",))
    assert why in gap.why


def test_where_every_test_stops_the_run_nothing_is_proved(write: Write) -> None:
    text = "import os\nimport pytest\n\n@pytest.mark.parametrize('n', range(9))\ndef test_b(n):\n    os._exit(0)\n"
    said = proof(write({"mod.py": MOD, "test_b.py": text}))
    assert not said.holds
    assert "do not come to an end before the patch: " in told(said)


SOMETIMES = {
    "chance": (
        "import os, pathlib\n\ndef test_b():\n    there = pathlib.Path({mark!r})\n    assert not there.exists()\n"
        "    there.touch()\n",
        "it fails",
    ),
    "order": (
        "import mod\n\ndef test_b():\n    assert not hasattr(mod, 'seen')\n",
        "with the last module first it fails",
    ),
}


@pytest.mark.usefixtures("twice")
@pytest.mark.parametrize(("text", "why"), SOMETIMES.values(), ids=SOMETIMES)
def test_a_test_that_passes_only_sometimes_is_set_aside_by_name(
    text: str, why: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that fails the second time, and one that passes only before another module's tests."""
    monkeypatch.setattr("hustings.examples.review_board.bench.run_contained", unwalled)
    mark = write({"x": ""}, "elsewhere") / "mark"
    marks = "import mod\n\ndef test_c():\n    mod.seen = True\n"
    said = proof(
        write({"mod.py": MOD, "test_a.py": OTHER % 20, "test_b.py": text.format(mark=str(mark)), "test_c.py": marks})
    )
    [gap] = said.gaps
    assert (said.holds, said.proved, gap.kind, gap.names) == (True, 21, "passed only sometimes", ("test_b.py::test_b",))
    assert why in gap.why


def unwalled(
    command: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    limits: Limits,
    *,
    writable: Sequence[Path] = (),
    readable: None,
) -> Completed:
    """As on a machine without Landlock: a test can leave something behind."""
    everywhere = [*writable, cwd.parents[2], Path(tempfile.gettempdir())]
    return run_contained(command, cwd, env, limits, writable=everywhere, readable=readable)


@pytest.mark.usefixtures("twice")
def test_a_suite_that_was_not_made_for_another_order_runs_in_its_own(write: Write) -> None:
    """If many tests fail in the other order, the order is not held against them."""
    root = write(
        {
            "mod.py": MOD,
            "test_a.py": "import mod\n\ndef test_a():\n    mod.ready = True\n",
            "test_b.py": OTHER.replace("mod.x", "mod.ready") % 9,
        }
    )
    said = proof(root)
    assert (said.holds, said.proved, said.gaps) == (True, 10, ())


def test_a_conftest_in_a_folder_takes_only_its_folder_away(write: Write) -> None:
    files = {"more/here/conftest.py": "import nowhere\n", "more/here/test_it.py": PASSES, "more/test_other.py": PASSES}
    said = proof(write({**BESIDE, **files}))
    assert (said.holds, said.proved) == (True, 22)
    assert [(gap.count, LACKS in gap.why) for gap in said.gaps] == [(1, True)]


def test_who_ends_the_run_politely_is_seen(write: Write) -> None:
    """The exit code says that all is well: what was not reached is a gap nonetheless."""
    stop = "def pytest_runtest_logfinish(nodeid):\n    import pytest\n    pytest.exit('enough', returncode=0)\n"
    said = proof(write({"mod.py": MOD, "test_mod.py": OTHER % 20, "conftest.py": stop}))
    assert (said.holds, said.proved, said.before.unreached) == (False, 1, 19)
    assert "19 could not run: " in told(said)
    assert "enough" in told(said)


LIMITS = {
    "time": (Limits(seconds=6), "signal.pthread_sigmask(0, {14}); signal.pause()", "the limit of 3.6 s was reached"),
    "processor": (Limits(cpu=3), "[0 for _ in iter(int, 1)]", "the limit of 3 s of CPU time was reached"),
    "processes": (
        Limits(processes=5),
        "[subprocess.Popen(['sleep', '60']) for _ in range(20)][0].wait()",
        "the limit of 5 processes was passed",
    ),
}


@pytest.mark.parametrize(("limits", "code", "why"), LIMITS.values(), ids=LIMITS)
def test_a_limit_of_the_board_is_said_by_its_name(limits: Limits, code: str, why: str, write: Write) -> None:
    late = f"import signal, subprocess\n\ndef test_last():\n    {code}\n"
    said = proof(write({"mod.py": MOD, "test_mod.py": OTHER % 500, "test_z.py": late}), limits=limits)
    [gap] = said.gaps
    assert (said.holds, said.proved, gap.kind, gap.names) == (True, 500, "stopped the run", ("test_z.py::test_last",))
    assert f"{why}, in test_z.py::test_last, after 500 of 501 tests" in gap.why


def test_what_is_not_reached_in_time_is_not_claimed(write: Write) -> None:
    slow = "import time\nimport pytest\n\n@pytest.mark.parametrize('n', range(30))\ndef test_z(n):\n    time.sleep(1)\n"
    said = proof(write({"mod.py": MOD, "test_a.py": OTHER % 60, "test_z.py": slow}), limits=Limits(seconds=10))
    assert said.holds
    assert 60 <= said.proved < 90
    assert {gap.kind for gap in said.gaps} <= {"not reached", "stopped the run"}
    assert said.proved + sum(gap.count for gap in said.gaps) == 90


BREAKS = {
    "vanish": ("test_mod.py", "def test_mod", "def no_test"),
    "skip": ("test_mod.py", "assert mod.x", "pytest.skip('not now')"),
    "skip their module": ("test_mod.py", "import mod\n", "import mod, pytest\npytest.importorskip('nowhere')\n"),
    "are hidden": ("conftest.py", "x = 1", "collect_ignore = ['test_mod.py']"),
    "are deselected": ("conftest.py", "x = 1", "def pytest_collection_modifyitems(items):\n    items[:] = items[-1:]"),
    "cannot be set up": ("conftest.py", "    return 1", "    return nowhere"),
    "are expected to fail": ("test_mod.py", "assert mod.x", "pytest.xfail('some day')"),
    "are cut off": ("mod.py", "x = 1", "def __getattr__(name):\n    import os\n    os._exit(0)"),
}  # fmt: skip


@pytest.mark.parametrize(("path", "old", "new"), BREAKS.values(), ids=BREAKS)
def test_what_ran_before_and_cannot_run_now_is_a_failure_of_the_change(
    path: str, old: str, new: str, write: Write
) -> None:
    fixture = "import pytest\n\nx = 1\n\n\n@pytest.fixture(autouse=True)\ndef fix():\n    return 1\n"
    root = write({"mod.py": MOD, "conftest.py": fixture, "test_mod.py": OTHER % 9, "test_z.py": OTHER % 30})
    text = (root / path).read_text()
    assert old in text
    said = proof(root, Patch(diff=unified(path, text, text.replace(old, new)), edits=1, files=1))
    assert (said.holds, exit_code(came(said), Report)) == (False, 4)
    assert {f"test_mod.py::test_mod[{n}]" for n in range(8)} <= set(said.new_failures)


KIND = st.sampled_from(["passed", "failed", "error", "skipped", "unreached"])
OUTCOMES = st.builds(lambda kind, ran: Outcome(kind, kind, ran or kind in ("passed", "failed")), KIND, st.booleans())
RECORDS = st.dictionaries(st.sampled_from([f"t{n % 3}.py::{n}" for n in range(9)]), OUTCOMES).map(
    lambda outcomes: Record(frozenset(outcomes), outcomes)
)


@given(RECORDS, RECORDS)
def test_each_test_is_proved_or_a_gap_or_a_failure(before: Record, after: Record) -> None:
    base = Baseline((), (), before)
    failures = base.new_failures(after)
    holds, because = base.judged(after, len(failures))
    missing = sum(gap.count for gap in base.gaps)
    lost = sum(name in failures for name, seen in before.outcomes.items() if seen.kind == "passed")
    assert base.proved(after) + missing + lost == len(before.outcomes)
    if holds:
        assert not failures
        assert base.proved(after) > missing
        assert all(str(gap.count) in because for gap in base.gaps)


@given(RECORDS, RECORDS)
def test_what_ran_runs_or_the_change_has_failed(before: Record, after: Record) -> None:
    failures = Baseline((), (), before).new_failures(after)
    for name, seen in before.outcomes.items():
        if seen.ran and (name not in after.outcomes or not after.outcomes[name].ran):
            assert failures[name]


async def test_the_table_shows_no_green_where_nothing_can_be_shown(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hustings.examples.review_board.comparison.ALONE", {"idle": lambda _: None})
    monkeypatch.setattr("hustings.examples.review_board.comparison.CHAIN", {})
    root = write({"mod.py": MOD, "test_a.py": PASSES, "conftest.py": "import nowhere\n"})
    text = table([*await compare(root), board(BETTER, proof(root))])
    assert "green" not in text
    assert text.count(LACKS) == 3


UNITTEST = """
    import unittest

    class T(unittest.TestCase):
        def test_it(self):
            {body}

        def test_passes(self):
            pass
"""
BODIES = {
    "a part fails": ("with self.subTest(n=1): self.fail('oh')", "failed already", "AssertionError: oh"),
    "an error": ("import nowhere", "failed already", f"ModuleNotFoundError: {LACKS}"),
    "a skip": ("self.skipTest('oh')", "could not run", "oh"),
}


@pytest.fixture
def without_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that has only the standard library."""
    monkeypatch.setattr("hustings.examples.review_board.suite.Suite.has", {"pytest": "", "pytest_randomly": ""})


@pytest.mark.usefixtures("without_pytest")
@pytest.mark.parametrize(("body", "kind", "why"), BODIES.values(), ids=BODIES)
def test_unittest_counts_what_did_not_pass(body: str, kind: str, why: str, write: Write) -> None:
    good = UNITTEST.format(body="pass")
    said = proof(write({"mod.py": MOD, "test_a.py": good, "test_b.py": good, "test_it.py": UNITTEST.format(body=body)}))
    assert (said.holds, said.proved, gaps(said)) == (True, 5, [(kind, why, 1)])
    assert said.gaps[0].names == ("test_it.T.test_it",)


@pytest.mark.usefixtures("without_pytest")
def test_unittest_names_modules_and_classes_that_could_not_run(write: Write) -> None:
    setup = (
        UNITTEST.format(body="pass")
        + "\n        @classmethod\n        def setUpClass(cls):\n            import nowhere\n"
    )
    good = {f"test_{name}.py": UNITTEST.format(body="pass") for name in "abc"}
    said = proof(write({"mod.py": MOD, **good, "test_it.py": "import nowhere\n", "test_set.py": setup}))
    assert said.proved == 6
    assert {gap.kind for gap in said.gaps} == {"could not run"}
    assert {name.rpartition(".")[2] for gap in said.gaps for name in gap.names} >= {"test_it", "test_passes"}


def test_a_test_that_hangs_is_cut_once_named_and_not_run_again(write: Write) -> None:
    """Each run would wait for it anew."""
    hangs = "import time\n\n\ndef test_hangs():\n    time.sleep(1000)\n"
    said = proof(write({"mod.py": MOD, "test_mod.py": OTHER % 20, "test_slow.py": hangs}), limits=Limits(seconds=15.0))
    why = "not done after 3 s, the limit for one test"
    assert (said.holds, said.proved, gaps(said)) == (True, 20, [("took too long", why, 1)])
    assert said.after.failed == 0
