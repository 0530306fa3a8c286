"""The whole board on a small package: two rounds and a proof; and what becomes of a package without tests."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from hustings.agents import Client, exit_code
from hustings.agents import RunReport as Came
from hustings.agents.testing import running
from hustings.examples.review_board import (
    Patch,
    Report,
    Repository,
    Review,
    ReviewProof,
    apply_patch,
    read_sources,
    team,
)

from .conftest import OLD, SHOP, Write

SLOW = ("bandit", "mypy", "ruff_bold", "codespell", "isort", "autoflake", "vulture", "radon")


async def reviewed(client: Client[Review, Report], root: Path, skip: Sequence[str] = ()) -> Came:
    run = await client.ask(Review(repository=await client.upload(root, Repository), bold=True), skip=tuple(skip))
    await run.wait()
    return await run.report()


def patched(root: Path, came: Came) -> dict[str, str]:
    files = {path: source.text for path, source in read_sources(root).files.items()}
    return apply_patch(Patch.of(came.outcome["patch"]).diff, files)


@pytest.mark.long
@pytest.mark.processes
async def test_the_board_settles_two_rounds_and_a_package_without_tests_is_unproved(write: Write) -> None:
    """One team in one process for all of it: to start it costs more than to ask it."""
    root, bare = (
        write({**SHOP, **OLD, "shop/broken.py": "def f(:\n"}),
        write({"mod.py": "import os\n\nx = 1\n\ny = u'y'\n"}, "bare"),
    )
    async with running(team) as client:
        came, without = await reviewed(client, root), await reviewed(client, bare, SLOW)

    assert (came.status, came.missing, exit_code(came, Report)) == ("decided", (), 0)
    proof = ReviewProof.of(came.outcome["proof"])
    assert (proof.before.passed, proof.before.failed) == (proof.after.passed, proof.after.failed) == (8, 1)
    said = {item.by for verdict in came.verdicts for item in verdict.stands}
    assert said >= {"ruff", "pyupgrade", "flynt", "isort", "codespell", "formatter", "bandit", "radon", "vulture"}
    abouts = {verdict.about for verdict in came.verdicts}
    assert {"shop/broken.py:syntax", "shop/old.py:kind:complexity"} <= abouts
    old = patched(root, came)["shop/old.py"]
    assert "misspelled" in old
    assert '{"width": width, "height": height}' in old or '{"width":width,"height":height}' in old
    assert all(verdict.contested or verdict.stands for verdict in came.verdicts if verdict.rule != "verified")

    assert (without.status, exit_code(without, Report)) == ("decided", 4)
    assert patched(bare, without)["mod.py"] == "x = 1\n\ny = 'y'\n"
    assert team.files(without).keys() == {"unproved.patch", "review.sarif", "summary.md"}
    assert team.files(came).keys() == {"merged.patch", "review.sarif", "summary.md"}
