"""The board's models: they join where there is a key, read with tools, propose, and are judged like everybody else."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hustings.agents import Endpoints, connect
from hustings.agents.models import Provider
from hustings.agents.testing import FakeEndpoint, Reply, answers, bench, calls
from hustings.examples.review_board import Findings, Repository, critic, team, with_models
from hustings.protocols import Data

from .conftest import SHOP, Write

LINE = "        return sorted(self.prices, key=lambda name: self.prices[name].amount)[0]\n"
MIN = "        return min(self.prices, key=lambda name: self.prices[name].amount)\n"


def remark(text: str, *, path: str = "shop/catalogue.py", was: str = LINE, first: int = 21) -> Data:
    return {"path": path, "first": first, "was": was, "text": text, "because": "shorter", "confidence": 0.9}


def reviewer(body: Data, *remarks: Data) -> Reply:
    """Lists the files, reads one, and says its remarks."""
    turns: Any = body["messages"]
    if len(turns) == 1:
        return calls("list_files", {})
    if len(turns) == 3:
        return calls("read_file", {"path": "shop/catalogue.py"})
    return answers({"remarks": remarks})


@pytest.mark.processes
async def test_what_a_model_says_of_lines_that_do_not_read_so_is_left_out(write: Write, broker: str) -> None:
    """Nor is a test changed, by which it will be judged, nor a file that is not there."""
    shop = write(SHOP)
    wrong = [
        remark(MIN, was="        return 1\n"),
        remark(MIN, first=3),
        remark("", path="shop/tests/test_shop.py", was="import os\n", first=2),
        remark("", path="../outside.py", was="import os\n", first=1),
        remark(LINE),
    ]
    with FakeEndpoint(lambda body: reviewer(body, remark(MIN), *wrong)) as fake:
        endpoints = Endpoints({"anthropic": Provider(kind="anthropic", base_url=fake.url)})
        async with bench(critic, broker, endpoints=endpoints) as call:
            found = await call(Findings, "criticise", repository=await _packed(shop, broker))
    assert isinstance(found, Findings)
    ((edit,),) = [proposal.edits for proposal in found.proposals]
    assert (edit.resource, edit.was, edit.text) == ("shop/catalogue.py", LINE, MIN)


def test_the_board_with_models_is_a_team_of_its_own() -> None:
    """Whoever wants models names it; a key in the environment changes nothing. They have a budget."""
    assert {*with_models.members} - {*team.members} == {"critic", "simplifier", "judge"}
    assert with_models.budget
    assert team.budget is None


async def _packed(folder: Path, broker: str) -> Repository:
    async with connect(replace(team, name="test"), broker) as client:
        return await client.upload(folder, Repository)
