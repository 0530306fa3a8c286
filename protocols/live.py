"""What is said live: core NATS, stored nowhere, lost without harm."""

from pydantic import Field

from .message import Count, Message, later


class Heartbeat(Message, contract="hustings.live.heartbeat.v1"):
    """An agent's process is alive. `card` is the digest of its AgentCard, `leaving`: it says good-bye.

    `unwell`: the models it calls cannot be had at the moment. `recycle`: it takes no more, and a fresh process follows.
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
    """How far a task is, for people: `done` from 0 to 1, or None where nobody can tell.

    `text` is what a model has just said, `says` then which one.
    """

    run: str
    task: str
    agent: str
    says: str
    done: float | None = Field(default=None, ge=0, le=1)
    text: str = later("")
