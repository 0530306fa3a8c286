"""What both adapters do alike: they see a stream that hangs, and let one live that only pings."""

from collections.abc import Callable

import anyio
import pytest

from hustings.agents.models import Model
from hustings.agents.models.adapter import Access
from hustings.agents.models.anthropic import Anthropic
from hustings.agents.models.fake import FakeEndpoint, Reply, says
from hustings.agents.models.openai import OpenAI

from .asking import KEY, Ear, failure, request

Adapter = Callable[[str, float, float], Model]


def anthropic(url: str, first: float, stall: float) -> Model:
    return Anthropic(Access(url, lambda: KEY, first, stall))


def openai(url: str, first: float, stall: float) -> Model:
    return OpenAI(Access(f"{url}/v1", lambda: KEY, first, stall))


pytestmark = pytest.mark.parametrize("adapter", [anthropic, openai])
ASKED = request("vendor:name")


@pytest.mark.parametrize(
    ("reply", "first", "stall"),
    [(says("late", hang=200), 0.2, 200), (says("x" * 70, hang=200, cut_after=5), 200, 0.2)],
    ids=["before the head", "within"],
)
async def test_a_hung_endpoint_is_seen(adapter: Adapter, reply: Reply, first: float, stall: float) -> None:
    """Silence before the head or within the stream ends in `hung`, each after its own time, and is reckoned with."""
    with FakeEndpoint(script=[reply]) as fake, anyio.fail_after(300):
        failed = await failure(adapter(fake.url, first, stall), ASKED, streamed=True)
    assert failed.kind == "hung"
    assert failed.usage.estimated
    assert failed.usage.input > 0


async def test_who_only_pings_is_alive(adapter: Adapter) -> None:
    """Pings that bring nothing keep a thinking model from being taken for hung."""
    with FakeEndpoint(script=[says("done", pings=12, beat=0.1)]) as fake:
        reply = await adapter(fake.url, 0.8, 0.8)(ASKED, Ear())
    assert reply.text == "done"
