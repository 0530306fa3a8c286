"""Live messages: core NATS, not stored; losing one does no harm."""

from pydantic import Field

from .message import Count, Message, later


class Heartbeat(Message, contract="hustings.live.heartbeat.v1"):
    """An agent's process is alive. `card` is the digest of its AgentCard. `leaving`: the process is about to end.

    `unwell`: the models that it calls are unavailable at present. `recycle`: it takes no more tasks, and a new process
    will replace it.
    """

    agent: str
    instance: str
    version: str
    card: str
    pid: Count
    host: str
    busy: tuple[str, ...] = ()
    leaving: bool = False
    unwell: bool = later(False)
    recycle: bool = later(False)


class Progress(Message, contract="hustings.live.progress.v1"):
    """The progress of a task, for people: `done` from 0 to 1, or None if it is not known.

    `text` is what a model has just written; `says` then names the model.
    """

    run: str
    task: str
    agent: str
    says: str
    done: float | None = Field(default=None, ge=0, le=1)
    text: str = later("")
