"""Speakers: models at the port, for tests of what goes on above it. What goes on below is tested over HTTP."""

from collections.abc import Callable, Sequence

from hustings.agents import TaskContext
from hustings.agents.models import Listener, Model
from hustings.bus import Bus
from hustings.protocols import (
    Assigned,
    BudgetShare,
    Data,
    ModelChain,
    ModelFailure,
    ModelReply,
    ModelRequest,
    Part,
    Record,
    TextPart,
    ToolCall,
    Usage,
)

Line = str | ModelReply | ModelFailure | Sequence[Part]

USAGE = Usage(input=100, output=10)


class Speaker:
    """Says its lines, one a request, and keeps the requests. The last line is said for ever."""

    def __init__(self, *lines: Line | Callable[[ModelRequest], Line]) -> None:
        self.lines = list(lines)
        self.requests: list[ModelRequest] = []

    def model(self, name: str) -> Model:
        async def reply(request: ModelRequest, listener: Listener | None) -> ModelReply:
            self.requests.append(request)
            line = self.lines.pop(0) if len(self.lines) > 1 else self.lines[0]
            said = line(request) if callable(line) else line
            if isinstance(said, ModelFailure):
                raise said
            if listener:
                await listener(said if isinstance(said, str) else "...")
            return said if isinstance(said, ModelReply) else spoken(name, said)

        return reply


def spoken(model: str, said: str | Sequence[Part], usage: Usage = USAGE) -> ModelReply:
    parts = (TextPart(text=said),) if isinstance(said, str) else tuple(said)
    calls = any(isinstance(part, ToolCall) for part in parts)
    return ModelReply(model=model, stop="tools" if calls else "end", parts=parts, usage=usage)


def wants(name: str, id: str = "c1", **given: str | int) -> tuple[ToolCall, ...]:
    """The model wants a tool."""
    return (ToolCall(id=id, name=name, input={**given}),)


def context(
    bus: Bus,
    speaker: Speaker,
    *,
    share: BudgetShare | None = None,
    attempt: int = 1,
    task: str = "t",
    given: Data | None = None,
    models: tuple[str, ...] = ("anthropic:claude-sonnet-5-5",),
    cheaper: bool = True,
    record: Record = "full",
) -> TaskContext:
    """What a skill would be given, were this its task."""
    assigned = Assigned(
        task=task,
        step=task,
        agent="ann",
        attempt=attempt,
        skill="work",
        input=given or {},
        deadline=2**36,
        share=share,
        serving=ModelChain(models=models, cheaper=cheaper),
        record=record,
    )
    return TaskContext("r", assigned, bus, models=speaker.model)
