"""The proof: what holds is shown by the repository's own tests, and what is not shown falls."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from hustings.agents import Limits
from hustings.examples.review_board import (
    MOST_RUNS,
    Bench,
    Counts,
    Memory,
    Patch,
    Proving,
    Record,
    apply_patch,
    autoflake_fixes,
    guard,
    hunks,
    read_sources,
    ruff_fixes,
    unified,
    write_draft,
    write_patch,
)
from hustings.protocols import Edit, NonRetryableError, Proposal, Verdict

from .conftest import Write

pytestmark = pytest.mark.processes

BEFORE = Counts(passed=5, failed=1, skipped=1)


def named(proposals: Sequence[Proposal], by: str) -> list[Proposal]:
    return [item.model_copy(update={"id": f"{by}-{n}", "by": by}) for n, item in enumerate(proposals)]


def change(root: Path, path: str, old: str, new: str, name: str = "one") -> Proposal:
    text = (root / path).read_text()
    assert old in text
    return Proposal(id=name, edits=tuple(hunks(path, text, text.replace(old, new))))


def patch(root: Path, path: str, old: str, new: str) -> Patch:
    text = (root / path).read_text()
    return Patch(diff=unified(path, text, text.replace(old, new)), edits=1, files=1)


MEMORY = Memory()


def proving(root: Path) -> Proving:
    """On the bench; the baseline of one content is run once for all tests of a process."""
    return MEMORY.proving(root)


def test_what_the_tools_agree_on_and_would_break_falls(shop: Path) -> None:
    """ruff and autoflake both drop a name that is only reached by its string: no guard sees it, the tests do."""
    said = named(autoflake_fixes(_copy(shop, "a")).proposals, "autoflake")
    said = [item for item in said if item.edits[0].resource == "shop/compat.py"]
    trial = proving(shop).trial(said)
    fallen = {edit.was for item in said for edit in item.edits if item.id in trial.falls}
    assert fallen >= {"from collections import OrderedDict\n", "from io import BytesIO, StringIO\n"}
    assert "import os\n" not in fallen
    assert "test_order_is_reached_by_name" in " ".join(trial.falls.values())


def _copy(root: Path, name: str) -> Path:
    return shutil.copytree(root, root.parent / name)


def test_the_same_proposals_give_the_same_trial_in_any_order(write: Write) -> None:
    """Reasons and counts of runs included, in another folder too: a replay compares them."""
    test = "import mod\n\n\ndef test_all():\n    assert mod.a + mod.b < 2\n"
    root = write({"mod.py": "a = 0\n\nb = 0\n", "test_mod.py": test})
    said = [change(root, "mod.py", f"{name} = 0", f"{name} = 1", name) for name in "ab"]
    trials = [Proving.of(_copy(root, str(n))).trial(order) for n, order in enumerate(([*said], said[::-1]))]
    assert trials[0] == trials[1]
    assert trials[0].holds == ("a",)


def test_all_ids_are_accounted_for(shop: Path) -> None:
    said = named(ruff_fixes(_copy(shop, "a")).proposals, "ruff")
    trial = proving(shop).trial(said)
    assert {item.id for item in said} == {*trial.holds, *trial.falls}
    assert not set(trial.holds) & set(trial.falls)


def test_to_keep_holds_without_proof(shop: Path) -> None:
    keeps = named(guard(shop).proposals, "guard")
    trial = proving(shop).trial(keeps)
    assert tuple(item.id for item in keeps) == trial.holds
    assert trial.proof["runs"] == {"import": 0, "collect": 0, "tests": 0}


def test_equal_proposals_stand_together_and_different_ones_of_a_line_do_not(shop: Path) -> None:
    one = change(shop, "shop/catalogue.py", "return 1", "return 2", "one")
    same = one.model_copy(update={"id": "same"})
    other = change(shop, "shop/catalogue.py", "return 1", "return 3", "other")
    trial = proving(shop).trial([other, same, one])
    assert trial.holds == ("one", "same")
    assert "overlap" in trial.falls["other"]


def test_a_stale_proposal_falls(shop: Path) -> None:
    stale = change(shop, "shop/catalogue.py", "return 1", "return 2")
    (shop / "shop/catalogue.py").write_text((shop / "shop/catalogue.py").read_text() + "\n# new\n")
    assert "another version" in proving(shop).trial([stale]).falls["one"]


@pytest.mark.parametrize("path", ["../outside.py", "/etc/passwd", "shop/no_such.py"])
def test_nothing_outside_the_repository_is_edited(shop: Path, path: str) -> None:
    edit = Edit(resource=path, base="sha256:0", start=0, end=0, was="", text="x\n")
    assert "not a file" in proving(shop).trial([Proposal(id="one", edits=(edit,))]).falls["one"]


def test_changes_that_break_only_together_do_not_both_hold(write: Write) -> None:
    test = "from mod import f\n\n\ndef test_f():\n    assert f(1) == 1 or f(2) == 2\n"
    root = write({"mod.py": "def f(n):\n    x = 1\n    y = 2\n    return x if n == 1 else y\n", "test_mod.py": test})
    both = [change(root, "mod.py", "x = 1", "x = 3", "x"), change(root, "mod.py", "y = 2", "y = 3", "y")]
    trial = proving(root).trial(both)
    assert (trial.holds, list(trial.falls)) == (("x",), ["y"])


def test_without_a_passing_test_what_imports_stands_unproved(write: Write) -> None:
    """The trial says so, and the proof of the patch does not hold."""
    root = write({"mod.py": "x = 1\n"})
    good, bad = change(root, "mod.py", "1", "2"), change(root, "mod.py", "= 1", "= y", "bad")
    on = proving(root)
    trials = [on.trial([item]) for item in (good, bad)]
    proof = on.prove(patch(root, "mod.py", "1", "2"))
    assert [trial.holds for trial in trials] == [("one",), ()]
    assert "unproved" in trials[0].because
    assert not proof.holds
    assert proof.because == "the repository has no tests; so nothing is proved"


def test_a_limit_on_runs_leaves_the_rest_unproved(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails closed: not even what would have held is let through."""
    monkeypatch.setitem(MOST_RUNS, "import", 1)
    said = named(autoflake_fixes(_copy(shop, "a")).proposals, "autoflake")
    trial = proving(shop).trial(said)
    assert trial.holds == ()
    assert all("left unproved: the limit" in why for why in trial.falls.values())


@pytest.mark.parametrize("killer", ["import os; os._exit(0)", "raise SystemExit"])
def test_a_change_that_ends_the_process_falls(write: Write, killer: str) -> None:
    """A test run that stops in the middle and says "0" is no proof."""
    code = "import os\n\n\ndef f():\n    return 1\n\n\ndef g():\n    return 1\n"
    root = write({"mod.py": code, "test_mod.py": "import mod\n\n\ndef test_f():\n    assert mod.f()\n"})
    at_import = change(root, "mod.py", "import os\n", f"{killer}\n", "import")
    in_test = change(root, "mod.py", "f():\n    return 1", f"f():\n    {killer}", "test")
    innocent = change(root, "mod.py", "g():\n    return 1", "g():\n    return 2", "innocent")
    trial = proving(root).trial([at_import, in_test, innocent])
    assert (trial.holds, list(trial.falls)) == (("innocent",), ["import", "test"])


def test_a_proof_counts_before_and_after(shop: Path) -> None:
    """What failed before may fail; what is new is named."""
    on = proving(shop)
    good = on.prove(patch(shop, "shop/catalogue.py", "return 1", "return 2"))
    bad = on.prove(patch(shop, "shop/catalogue.py", "Price(3)", "Price(30)"))
    assert (good.holds, good.before, good.after) == (True, BEFORE, BEFORE)
    assert (bad.holds, bad.before) == (False, BEFORE)
    assert bad.new_failures == ("shop/tests/test_shop.py::ShopTest::test_price",)


def test_a_test_that_vanishes_is_a_new_failure(shop: Path) -> None:
    proof = proving(shop).prove(patch(shop, "shop/tests/test_shop.py", "def test_price", "def no_price"))
    assert not proof.holds
    assert proof.new_failures == ("shop/tests/test_shop.py::ShopTest::test_price",)


def test_a_patch_of_something_else_is_no_proof(shop: Path) -> None:
    wrong = Patch(diff=unified("shop/compat.py", "a\n", "b\n"), edits=1, files=1)
    proof = proving(shop).prove(wrong)
    assert not proof.holds
    assert "does not apply" in proof.because


def test_the_copy_is_tested_and_not_the_installed_package(write: Write) -> None:
    """A package of the same name as an installed one, in a src layout, with tests beside it."""
    root = write(
        {
            "src/simplejson/__init__.py": "MARK = 'the copy'\n",
            "tests/test_mark.py": "import simplejson\n\n\ndef test_mark():\n    assert simplejson.MARK == 'the copy'\n",
        }
    )
    on = proving(root)
    assert Counts(passed=1) == on.baseline.record.counts
    assert on.baseline.modules == ("simplejson",)


def test_without_pytest_unittest_proves_the_same(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    record = Bench(shop).tests({})
    assert record.counts == BEFORE
    assert record.complete
    assert record.collected == Bench(shop).collect({}).collected


def test_pytest_settings_above_the_scratch_folder_do_not_count(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shop.parent / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    monkeypatch.setattr("tempfile.tempdir", str(shop.parent))
    assert Bench(shop).tests({}).counts == BEFORE


HANGS = {
    "mod.py": "x = 1\n",
    "test_mod.py": "import signal\n\nimport mod\n\n\ndef test_mod():\n    if mod.x > 1:\n        signal.pause()\n",
}


def test_a_test_that_hangs_falls_and_the_others_get_their_turn(write: Write) -> None:
    root = write({**HANGS, "test_other.py": "def test_other():\n    pass\n"})
    hangs = {"mod.py": "x = 2\n"}
    record = Bench(root, Limits(seconds=3)).tests(hangs)
    assert (record.counts, record.complete) == (Counts(passed=1, failed=1), True)
    assert "not done after 1 s" in record.outcomes["test_mod.py::test_mod"].why


def test_a_run_that_cannot_be_interrupted_is_killed(write: Write) -> None:
    root = write(
        {"test_mod.py": "import signal\n\n\ndef test_mod():\n    signal.pthread_sigmask(0, {14})\n    signal.pause()\n"}
    )
    assert not Bench(root, Limits(seconds=1)).tests({}).complete


def test_nothing_is_left_behind(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = shop.parent / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    Proving.of(shop).trial([change(shop, "shop/catalogue.py", "return 1", "return 2")])
    assert list(scratch.iterdir()) == []
    assert list(shop.rglob("__pycache__")) == []


def test_a_memory_runs_a_baseline_once_by_content(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[Path] = []

    def tests(bench: Bench, overlay: dict[str, str], *_: object, **__: object) -> Record:
        runs.append(bench.root)
        return Record(frozenset(), {})

    monkeypatch.setattr(Bench, "tests", tests)
    memory = Memory()
    proposal = change(shop, "shop/catalogue.py", "return 1", "return 2")
    memory.trial(shop, [proposal])
    memory.trial(_copy(shop, "other"), [proposal])
    memory.proving(shop)
    assert runs == [shop, shop]  # there is time for a second run, and no more


def test_a_draft_has_the_edits_that_stand_and_a_patch_leads_to_it(shop: Path) -> None:
    one = change(shop, "shop/catalogue.py", "return 1", "return 2", "one")
    keep = named(guard(shop).proposals, "guard")[0]
    verdicts = [
        Verdict(matter="m", kind="change", about="", decided=True, rule="r", because="b", stands=(item,))
        for item in (one, keep, one)
    ]
    draft = write_draft(shop, verdicts)
    written = write_patch(shop, draft)
    assert [file.resource for file in draft.files] == ["shop/catalogue.py"]
    assert (written.edits, written.files) == (1, 1)
    texts = {path: source.text for path, source in read_sources(shop).files.items()}
    assert {file.resource: file.text for file in draft.files} == apply_patch(written.diff, texts)


def test_nothing_accepted_is_an_empty_patch(shop: Path) -> None:
    assert Patch(diff="", edits=0, files=0) == write_patch(shop, write_draft(shop, []))


def test_decisions_that_do_not_fit_together_are_refused(shop: Path) -> None:
    stands = tuple(change(shop, "shop/catalogue.py", "return 1", f"return {n}") for n in (2, 3))
    with pytest.raises(NonRetryableError, match="cannot be written"):
        write_draft(
            shop, [Verdict(matter="m", kind="change", about="", decided=True, rule="r", because="b", stands=stands)]
        )
