"""The specialists are thin: they unpack, do the work off the loop, and refuse what is no repository."""

from pathlib import Path
from typing import cast

import pytest
from pydantic import ValidationError

from hustings.agents import Specialist, TaskContext
from hustings.examples.review_board import (
    Findings,
    Repository,
    Review,
    api_guard,
    autoflake,
    bandit,
    codespell,
    config,
    dependency_guard,
    docs_guard,
    flynt,
    formatter,
    isort,
    mypy,
    prover,
    pyupgrade,
    radon,
    ruff,
    ruff_bold,
    ruff_security,
    scribe,
    ty,
    vulture,
)
from hustings.protocols import Blob

from .conftest import Write

WITNESSES = [
    *(ruff, ruff_bold, autoflake, pyupgrade, flynt, isort, codespell),
    *(vulture, bandit, ruff_security, mypy, ty, radon, api_guard, docs_guard, dependency_guard, config),
]


class FailedAttempt:
    """As much of a TaskContext as the skills use; every repository unpacks to one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.said: list[str] = []

    agent = "ruff"

    async def unpack(self, _: Blob) -> Path:
        return self.root

    async def progress(self, output: str, _: float | None = None) -> None:
        self.said.append(output)


def packed(root: Path, **more: str) -> Repository:
    return Repository.model_validate({"digest": "sha256:0", "size": 1, "name": root.name, "kind": "folder", **more})


async def check(specialist: Specialist, repository: Repository, attempt: FailedAttempt) -> Findings:
    skill = specialist.skills["check"]
    takes = {"review": Review(repository=repository, bold=True), "repository": repository}
    given = {name: value for name, value in takes.items() if name in skill.inputs}
    found = skill.handler(**given, context=cast(TaskContext, attempt))
    return await found  # type: ignore[misc, no-any-return]


@pytest.mark.processes
@pytest.mark.parametrize("specialist", WITNESSES, ids=lambda specialist: specialist.name)
async def test_a_witness_takes_a_repository_and_says_findings(specialist: Specialist, tmp_path: Path) -> None:
    [skill] = specialist.card().skills
    assert skill.witness
    [takes] = [contract.type for contract in skill.inputs.values()]
    assert takes in ("review.Repository.v1", "review.Review.v1")
    assert skill.output.type == "review.Findings.v1"
    attempt = FailedAttempt(tmp_path)
    assert isinstance(await check(specialist, packed(tmp_path), attempt), Findings)
    assert attempt.said


@pytest.mark.processes
async def test_a_tool_that_cannot_work_on_a_repository_is_a_claim(write: Write) -> None:
    """The review goes on without it, and says so."""
    root = write({"a.py": "import os\n", "ruff.toml": "select = 3\n"})
    found = await check(ruff, packed(root), FailedAttempt(root))
    [claim] = found.claims
    assert (claim.about, claim.value, found.proposals) == ("ruff:run", "could not run", ())
    assert "expected a sequence" in claim.because


@pytest.mark.processes
async def test_a_package_itself_is_worked_on_where_it_can_be_imported(shop: Path) -> None:
    """The job gets the folder that holds it, and its paths begin with the package's name."""
    found = await check(ruff, packed(shop / "shop"), FailedAttempt(shop / "shop"))
    assert found.proposals
    assert any(edit.resource.startswith("shop/") for proposal in found.proposals for edit in proposal.edits)


def test_a_single_file_is_no_repository(shop: Path) -> None:
    with pytest.raises(ValidationError, match="folder"):
        packed(shop, kind="file")


def test_the_skills_are_those_that_the_plan_is_made_of() -> None:
    outputs = {skill.name: skill.output.type for each in (scribe, formatter, prover) for skill in each.card().skills}
    assert outputs == {
        "draft": "review.Draft.v1",
        "format": "review.Formatting.v1",
        "finish": "review.Patch.v1",
        "test": "review.Tested.v1",
        "trial": "hustings.Trial.v1",
        "prove": "review.ReviewProof.v1",
    }
