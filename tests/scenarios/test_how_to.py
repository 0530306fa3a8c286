"""The how-tos are true: each page is played in a folder of its own, and prints what it says."""

from pathlib import Path
from typing import Any

import pytest

from hustings.agents.testing import FakeEndpoint, bench
from hustings.examples.research_desk.understudy import play as understudy

from .pages import ROOT, blocks, play, user

pytestmark = [pytest.mark.processes, pytest.mark.long]

PAGES = sorted((ROOT / "docs" / "how-to").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
async def test_a_page_is_true(page: Path, tmp_path: Path) -> None:
    """Beside `clerk.py` of the README, with which some of them begin; an understudy plays the models."""
    place = user(tmp_path)
    (clerk,) = [block.text for block in blocks(ROOT / "README.md") if 'clerk = Specialist("clerk"' in block.text]
    (place.folder / "clerk.py").write_text(clerk)
    with FakeEndpoint(understudy) as fake:
        place.env |= {"ANTHROPIC_BASE_URL": fake.url, "ANTHROPIC_API_KEY": "none"}
        await play(page, place)
    await place.all_gone()


def test_the_readme_links_to_each() -> None:
    """A page that nobody finds helps nobody."""
    readme = (ROOT / "README.md").read_text()
    assert [page.name for page in PAGES if f"docs/how-to/{page.name}" not in readme] == []


async def test_the_specialist_of_the_page_on_containment_runs() -> None:
    """It prints what its script prints."""
    [block] = blocks(ROOT / "docs" / "containment.md")
    page: dict[str, Any] = {"__name__": "page"}
    exec(block.text, page)
    async with bench(page["tester"]) as call:
        assert (await call(page["Printed"], "execute", script=page["Script"](code="print(6 * 7)"))).text == "42\n"
