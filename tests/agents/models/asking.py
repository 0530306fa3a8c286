"""What the tests of models ask, and by what: real HTTP against the fake."""

from collections.abc import Callable

import anthropic  # noqa: F401 - takes seconds, which no clock of a test shall measure
import openai  # noqa: F401
import pytest

from hustings.agents.models import Model
from hustings.agents.models.fake import FakeEndpoint, Reply
from hustings.protocols import Data, ModelFailure, ModelReply, ModelRequest, TextPart, ToolCard, Turn

KEY = "sk-canary-7f3a9b"
SHAPE: Data = {
    "type": "object",
    "properties": {"word": {"type": "string"}, "count": {"type": "integer", "default": 1}},
    "required": ["word"],
    "additionalProperties": False,
}
ADD = ToolCard(
    name="add",
    description="adds",
    inputs={"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
)

Adapter = Callable[[str], Model]
"""From the URL of a fake to a model."""


def request(model: str, *turns: Turn, **more: object) -> ModelRequest:
    said = turns or (Turn(role="user", parts=(TextPart(text="What is new?"),)),)
    return ModelRequest.model_validate({"model": model, "instructions": "Be brief.", "turns": said} | more)


class Ear:
    """A listener that keeps the pieces."""

    def __init__(self) -> None:
        self.pieces: list[str] = []

    async def __call__(self, piece: str) -> None:
        self.pieces.append(piece)


async def failure(model: Model, asked: ModelRequest, *, streamed: bool = False) -> ModelFailure:
    """The failure that a call must end in."""
    with pytest.raises(ModelFailure) as caught:
        await model(asked, Ear() if streamed else None)
    assert caught.value.__context__ is None  # a package's own error may quote the key
    assert KEY not in f"{caught.value!r} {caught.value.hint}"
    return caught.value


async def both(adapter: Adapter, asked: ModelRequest, reply: Reply) -> tuple[ModelReply, ModelReply, list[Data]]:
    """The reply in one piece and the streamed one, and the bodies that were sent."""
    with FakeEndpoint(script=[reply, reply]) as fake:
        model = adapter(fake.url)
        return await model(asked, None), await model(asked, Ear()), [call.body for call in fake.calls]
