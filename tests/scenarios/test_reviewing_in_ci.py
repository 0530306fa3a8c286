"""The workflow and the hook of docs/how-to/review-every-pull-request.md: what they run is what the page runs."""

import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from hustings.agents.cli import main

from .pages import ROOT, blocks

PAGE = ROOT / "docs" / "how-to" / "review-every-pull-request.md"
FILES = {block.file: yaml.safe_load(block.text) for block in blocks(PAGE) if block.language == "yaml"}
STEPS: list[Any] = FILES[".github/workflows/review.yml"]["jobs"]["review"]["steps"]
(HOOK,) = FILES[".pre-commit-config.yaml"]["repos"][0]["hooks"]


def reviews() -> Iterator[str]:
    """The commands of the workflow and of the hook that are ours."""
    for step in [*STEPS, {"run": HOOK["entry"]}]:
        yield from (line for line in step.get("run", "").splitlines() if line.startswith("hustings "))


def bare(command: str) -> list[str]:
    """The words of a command, without where its output goes."""
    words = shlex.split(command)
    ends = [place for place, word in enumerate(words) if word in (">", "2>", "2>&1", "|")]
    return words[: min(ends, default=len(words))]


def test_the_page_runs_each_command_of_the_files() -> None:
    """test_how_to plays the page, so they run."""
    ran = [bare(line[2:]) for block in blocks(PAGE) for line in block.text.splitlines() if line.startswith("$ ")]
    assert len([*reviews()]) == 2
    assert [command for command in reviews() if bare(command) not in ran] == []


@pytest.mark.parametrize("command", [*reviews()])
def test_the_command_line_knows_their_options(command: str) -> None:
    with pytest.raises(SystemExit) as end:
        main([*bare(command)[1:], "--help"])
    assert end.value.code == 0


def test_the_workflow_uploads_what_a_run_writes() -> None:
    """The claims from the folder of the runs, the comment from the file of the review; also where nothing is proved."""
    uses = {step["uses"].partition("@")[0]: step for step in STEPS if "uses" in step}
    assert uses["github/codeql-action/upload-sarif"]["with"] == {"sarif_file": ".hustings/runs"}
    (comment,) = [step for step in STEPS if "gh pr comment" in step.get("run", "")]
    (review,) = [step for step in STEPS if step.get("name") == "review"]
    assert review["run"].endswith(f"> {shlex.split(comment['run'])[-1]}")
    later = STEPS[STEPS.index(review) + 1 :]
    assert all(step["if"].startswith("always()") for step in later)
    assert FILES[".github/workflows/review.yml"]["permissions"] == {
        "contents": "read", "pull-requests": "write", "security-events": "write",
    }  # fmt: skip
