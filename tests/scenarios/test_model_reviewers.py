"""The review board with a key: two models that disagree, a judge, and the tests of the package, all over HTTP."""

from pathlib import Path
from typing import Any

import pytest

from hustings.agents.testing import FakeEndpoint, Reply, answers, calls
from hustings.protocols import Data

from .processes import Place

pytestmark = pytest.mark.processes

LINE = "    return sorted(prices, key=lambda name: prices[name])[0]\n"
MIN = "    return min(prices, key=lambda name: prices[name])\n"
GET = "    return min(prices, key=prices.__getitem__)\n"
NEXT = "    return next(iter(sorted(prices, key=lambda name: prices[name])))\n"
SHOP = {
    "shop/__init__.py": f"def cheapest(prices):\n{LINE}",
    "shop/tests/__init__.py": "",
    "shop/tests/test_shop.py": """\
import unittest

import shop


class ShopTest(unittest.TestCase):
    def test_the_cheapest(self):
        self.assertEqual("pear", shop.cheapest({"apple": 3, "pear": 2}))
""",
}


def reviewer(body: Data, text: str) -> Reply:
    """Lists the files, reads one, and would have its line read so."""
    turns: Any = body["messages"]
    if len(turns) == 1:
        return calls("list_files", {})
    if len(turns) == 3:
        return calls("read_file", {"path": "shop/__init__.py"})
    remark = {
        "path": "shop/__init__.py",
        "first": 2,
        "was": LINE,
        "text": text,
        "because": "shorter",
        "confidence": 0.9,
    }
    return answers({"remarks": [remark]})


def player(body: Data) -> Reply:
    system = str(body["system"])
    if system.startswith("You are the judge"):
        sides: Any = body["messages"]
        text = str(sides)
        return answers({"choice": "A" if text.index("return min(") < text.index("return next(") else "B",
                        "because": "min says what is meant", "confidence": 0.9})  # fmt: skip
    if "you review a diff" in system:
        return diff_reviewer(body, "what is wrong" in system)
    return reviewer(body, MIN if "what is wrong" in system else NEXT)


def diff_reviewer(body: Data, critic: bool) -> Reply:
    """The critic has seen in the diff what the line becomes, and would have it better; the simplifier is content."""
    assert f"+{MIN.rstrip()}" in str(body["messages"])
    mine = {"path": "shop/__init__.py", "first": 2, "was": MIN, "text": GET, "because": "no lambda", "confidence": 0.9}
    aside = {**mine, "first": 1, "was": "def cheapest(prices):\n", "text": "def cheap(prices):\n"}
    return answers({"remarks": [mine, aside] if critic else []})


async def test_two_models_disagree_a_judge_settles_it_and_the_tests_prove_it(tmp_path: Path) -> None:
    """The whole board as processes, with a key, over HTTP; of the tools only the models and those that prove."""
    place = Place(tmp_path / "place")
    for name, text in SHOP.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    with FakeEndpoint(player) as fake:
        place.env |= {"ANTHROPIC_BASE_URL": fake.url, "ANTHROPIC_API_KEY": "a-key"}
        only = [f"--only={name}" for name in ("critic", "simplifier")]
        said = await place.call(
            "run",
            "hustings.examples.review_board:with_models",
            "--repository",
            str(tmp_path / "shop"),
            *only,
            "-o",
            "json",
            seconds=100,
        )
    assert said.code == 0, said.err
    (verdict,) = [each for each in said.json["verdicts"] if each["kind"] == "collision"]
    assert (verdict["rule"], [item["by"] for item in verdict["stands"]]) == ("judged", ["critic"])
    assert f"+{GET}" in said.json["outcome"]["patch"]["diff"]
    found = {item["because"] for each in said.json["verdicts"] for item in each["stands"] if item["by"] == "critic"}
    assert found == {"shorter", "no lambda"}
    assert said.json["outcome"]["proof"]["holds"]
    assert {row["agent"] for row in said.json["models"]} == {"critic", "simplifier", "judge"}
