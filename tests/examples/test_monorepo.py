"""A folder of a checkout is reviewed with what lies around it: settings above it, and packages that use it."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hustings.agents import exit_code
from hustings.agents.testing import running
from hustings.bus import Bus
from hustings.examples.review_board import (
    Bench,
    Report,
    Repository,
    Review,
    apply_to,
    defended,
    guard,
    isort_fixes,
    read_sources,
    ruff_fixes,
    team,
)
from hustings.examples.review_board.command import command_of
from hustings.protocols import UsageError

from .conftest import Write

pytestmark = pytest.mark.processes

MONOREPO = {
    "pyproject.toml": """
        [tool.ruff.lint]
        select = ["UP", "F"]
        [tool.ruff.lint.per-file-ignores]
        "packages/foo/src/foo/kept.py" = ["UP"]
        [tool.pytest.ini_options]
        pythonpath = ["packages/foo/src", "packages/bar/src"]
        addopts = "--import-mode=importlib"
        """,
    ".gitattributes": "packages/foo/src/foo/made.py linguist-generated\n",
    "packages/foo/src/foo/__init__.py": "",
    "packages/foo/src/foo/compat.py": "from io import BytesIO\n\nNAMES = dict([])\nTEXT = u'foo'\n",
    "packages/foo/src/foo/kept.py": "TEXT = u'kept'\n",
    "packages/foo/src/foo/made.py": "TEXT = u'made'\n",
    "packages/foo/tests/test_foo.py": """
        import foo.compat


        def test_text():
            assert foo.compat.TEXT == "foo"
        """,
    "packages/bar/src/bar/__init__.py": "from foo.compat import BytesIO\n\nEMPTY = BytesIO()\n",
    "packages/bar/tests/test_bar.py": """
        import bar


        def test_empty():
            assert bar.EMPTY.read() == b""
        """,
}


def git(root: Path, *words: str) -> str:
    alone = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", "-C", str(root), *alone, *words], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def checkout(write: Write) -> Path:
    """Two packages, of which bar imports a name from foo that foo itself does not use."""
    root = write(MONOREPO, "mono repo")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "first")
    (root / "untracked.py").write_text("")
    return root


async def test_a_folder_travels_with_its_checkout(bus: Bus, checkout: Path, tmp_path: Path) -> None:
    whole = await bus.blobs.put_path(checkout, tracked=True)
    blob = await bus.blobs.put_path(checkout / "packages" / "foo", tracked=True)
    assert (blob.digest, blob.name, blob.folder) == (whole.digest, "mono repo", "packages/foo")
    place = await bus.blobs.unpack(blob, tmp_path / "there")
    assert place == tmp_path / "there" / "mono repo" / "packages" / "foo"
    assert (place.parent / "bar" / "src" / "bar" / "__init__.py").is_file()
    assert not (tmp_path / "there" / "mono repo" / "untracked.py").exists()
    alone = await bus.blobs.put_path(checkout / "packages" / "foo")
    assert (alone.name, alone.folder) == ("foo", "")


async def test_of_a_checkout_that_is_too_large_the_largest_files_around_the_folder_stay(
    bus: Bus, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings are small; so a folder of a huge checkout is reviewed by them too."""
    (checkout / "picture.bin").write_bytes(bytes(100_000))
    git(checkout, "add", "picture.bin")
    monkeypatch.setattr("hustings.bus.team.archive.LIMIT", 50_000)
    blob = await bus.blobs.put_path(checkout / "packages" / "foo", tracked=True)
    place = await bus.blobs.unpack(blob, tmp_path / "there")
    assert (place / "src" / "foo" / "compat.py").is_file()
    assert {path.name for path in place.parents[1].iterdir()} == {".gitattributes", "packages", "pyproject.toml"}
    with pytest.raises(UsageError, match="too large"):
        await bus.blobs.put_path(checkout, tracked=True)


def test_its_tools_fall_back_on_the_settings_above_it(checkout: Path) -> None:
    """As ruff itself does it, with patterns from where they are written; and .gitattributes of the root count."""
    foo = checkout / "packages" / "foo"
    (made,) = read_sources(foo).claims
    assert (made.about, made.because) == ("src/foo/made.py:origin", "left alone: .gitattributes: linguist-generated")
    (kept,) = defended(foo).proposals
    assert (kept.edits[0].resource, kept.evidence[0].source) == ("src/foo/kept.py", "../../pyproject.toml")
    said = ruff_fixes(foo).proposals
    assert {item.because for item in said} == {"F401", "UP025"}
    assert {edit.resource for item in said for edit in item.edits} == {"src/foo/compat.py"}
    assert isort_fixes(foo).proposals == ()


def test_settings_of_its_own_come_first(checkout: Path) -> None:
    foo = checkout / "packages" / "foo"
    (foo / "ruff.toml").write_text('[lint]\nselect = ["F"]\n')
    assert {item.because for item in ruff_fixes(foo).proposals} == {"F401"}


def test_what_another_package_of_the_checkout_imports_is_defended(checkout: Path) -> None:
    (keep,) = guard(checkout / "packages" / "foo").proposals
    assert keep.edits[0].text == "from io import BytesIO\n"
    (evidence,) = keep.evidence
    assert (evidence.says, evidence.source) == ("bar imports BytesIO", "../bar/src/bar/__init__.py:1")


def test_its_tests_run_with_settings_and_packages_around_it(checkout: Path) -> None:
    bar = checkout / "packages" / "bar"
    assert command_of(bar) == ("python -m pytest", "the settings of pytest in ../../pyproject.toml")
    record = Bench(bar).tests({})
    assert {name: seen.kind for name, seen in record.outcomes.items()} == {
        "packages/bar/tests/test_bar.py::test_empty": "passed"
    }
    broken = Bench(bar).tests({"src/bar/__init__.py": "import foo.nothing\n"})
    assert broken.counts.errors == 1


@pytest.mark.long
@pytest.mark.parametrize("enter", [lambda root: root / "packages" / "foo"], ids=["foo"])
async def test_the_patch_applies_at_the_root_and_changes_only_the_folder(
    checkout: Path, enter: Callable[[Path], Path]
) -> None:
    folder = enter(checkout)
    async with running(team) as client:
        run = await client.ask(
            Review(repository=await client.upload(folder, Repository)),
            skip=("bandit", "mypy", "ruff_bold", "codespell", "isort", "autoflake", "vulture", "radon"),
        )
        await run.wait()
        came = await run.report()
    assert (came.status, exit_code(came, Report)) == ("decided", 0)
    patch = team.files(came)["merged.patch"]
    (checkout / "merged.patch").write_text(patch)
    git(checkout, "apply", "--check", "merged.patch")
    said = apply_to(came, {"repository": folder})
    branch = f"hustings/{came.run}"
    assert branch in said
    assert git(checkout, "diff", "--name-only", "HEAD", branch).split() == ["packages/foo/src/foo/compat.py"]
    git(checkout, "apply", "merged.patch")
    git(checkout, "diff", "--exit-code", branch, "--", "packages")
    text = (folder / "src" / "foo" / "compat.py").read_text()
    assert text == "from io import BytesIO\n\nNAMES = dict([])\nTEXT = 'foo'\n"
