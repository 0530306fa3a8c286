"""The fake endpoint as a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from hustings.agents.models.adapter import Access
from hustings.agents.models.anthropic import Anthropic
from hustings.agents.models.fake import Reply, asked, says
from hustings.protocols import Data

from .asking import failure, request

ASKED = request("anthropic:x")


def echo(body: Data) -> Reply:
    """Says what it was asked."""
    return says(asked(body))


@contextmanager
def process(*options: str) -> Iterator[str]:
    """The URL of a fake in a process, which is killed in the end."""
    command = [sys.executable, "-m", "hustings.agents.models.fake", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as fake:
        assert fake.stdout
        yield fake.stdout.readline().strip()
        fake.kill()


@pytest.mark.processes
async def test_it_replies_what_its_script_says(tmp_path: Path) -> None:
    """In order, from a JSON file, and afterwards an error; what it was asked can be had over HTTP."""
    script = tmp_path / "script.json"
    script.write_text('[{"text": "one"}, {"status": 529}]')
    with process("--script", str(script)) as url:
        model = Anthropic(Access(url, lambda: "key"))
        assert (await model(ASKED)).text == "one"
        assert (await failure(model, ASKED)).kind == "overloaded"
        assert (await failure(model, ASKED)).kind == "rejected"
        assert [body["model"] for body in httpx2.get(f"{url}/calls").json()] == ["x", "x", "x"]


@pytest.mark.processes
@pytest.mark.parametrize("name", ["tests.agents.models.test_fake:echo"])
async def test_it_replies_what_its_handler_says(name: str) -> None:
    """MODULE:FUNCTION, imported where it runs."""
    with process("--handler", name) as url:
        assert (await Anthropic(Access(url, lambda: "key"))(ASKED)).text == "Be brief.\nWhat is new?"
