"""TaskContext: what a skill can use besides its parameters."""

import hashlib
import math
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from types import EllipsisType
from typing import TypeVar, cast, overload

from anyio import CancelScope
from anyio.to_thread import run_sync
from pydantic import ConfigDict, JsonValue, ValidationError, create_model
from pydantic_core import to_json

from hustings.bus import Bus
from hustings.protocols import (
    Amount,
    Assigned,
    Blob,
    BudgetShare,
    Data,
    Effort,
    Message,
    NonRetryableError,
    Progress,
    Untrusted,
)
from hustings.protocols.validation import first_error

from ..containment.command import Completed, Limits, run_contained, scrubbed
from ..models.endpoints import here
from ..models.model import Model
from ..models.prices import prices
from ..models.tools import Tool
from ..models.untrusted import instructing
from ..observe.logger import structlog
from .ask import Asking, heard, said, wanted
from .conversation import Conversation, Material
from .journal import Journal
from .model_calls import Calls, default

Shape = TypeVar("Shape", bound=Message | str)
Said = TypeVar("Said", bound=Message)


class TaskContext:
    """One attempt of one task.

    `deadline` is in seconds since the epoch, `scratch` a folder that is deleted after the attempt, `log` is bound to
    run, task and attempt. When the run ends or the deadline passes, the skill is cancelled. A sync skill cannot be
    cancelled, so it should check `cancelled` between its steps.
    """

    def __init__(
        self,
        run: str,
        assigned: Assigned,
        bus: Bus,
        *,
        models: Callable[[str], Model] | None = None,
        journal: Journal | None = None,
    ) -> None:
        self.agent = assigned.agent
        self.run = run
        self.task = assigned.task
        self.attempt = assigned.attempt
        self.deadline = min(assigned.deadline, time.time() + (assigned.timeout or math.inf))
        self.cancelled = False
        self.log: structlog.stdlib.BoundLogger = structlog.get_logger().bind(
            run=run, task=assigned.task, attempt=assigned.attempt
        )
        self._assigned = assigned
        self._bus = bus
        self._models = models
        self._journal = journal or Journal(
            bus,
            run=run,
            agent=assigned.agent,
            task=assigned.task,
            attempt=assigned.attempt,
            share=assigned.share or BudgetShare(),
        )

    @cached_property
    def scratch(self) -> Path:
        """An empty folder of this attempt's own."""
        return Path(tempfile.mkdtemp(prefix=f"hustings-{self.agent}-"))

    @property
    def remaining(self) -> float:
        """Seconds until the deadline, never below 0."""
        return max(0.0, self.deadline - time.time())

    async def progress(self, says: str, done: float | None = None) -> None:
        """Show live how far this is; `done` from 0 to 1. Not stored."""
        part = None if done is None or math.isnan(done) else min(max(done, 0.0), 1.0)
        await self._bus.live.progress(Progress(run=self.run, task=self.task, agent=self.agent, says=says, done=part))

    async def read(self, blob: Blob) -> bytes:
        """The bytes behind a Blob. Raises NotFound."""
        return await self._bus.blobs.get(blob)

    async def store(self, data: bytes, name: str = "") -> Blob:
        """Store bytes where every agent of the team can read them."""
        return await self._bus.blobs.put(data, name=name)

    async def unpack(self, blob: Blob) -> Path:
        """The file or folder of a Blob, as a fresh copy in `scratch`. Raises NotFound."""
        return await self._bus.blobs.unpack(blob, self.scratch)

    async def run_command(
        self,
        command: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        writable: Sequence[Path] = (),
        readable: Sequence[Path] | None = (),
        network: bool = False,
    ) -> Completed:
        """Run a command that you need not trust: within limits, and behind the walls that this machine offers.

        It starts in `cwd` (the scratch folder if none is given), with a HOME of its own and `env`; of our environment
        it gets only PATH. It changes files only there and below `writable`. It reads these, the system's programs, this
        Python and what is below `readable`; with None, everything. It reaches no network but its own loopback, unless
        `network`. When it ends, when a limit or the deadline is reached, or when the skill is cancelled, all that it
        started is killed. `hustings doctor` says which walls this machine offers. A non-zero exit code is no error.
        Raises OSError if `cwd` does not exist.
        """
        limits = limits or Limits()
        home = self.scratch / "home"
        home.mkdir(exist_ok=True)
        call = partial(
            run_contained,
            command,
            cwd or self.scratch,
            scrubbed(home) | dict(env or {}),
            replace(limits, seconds=min(limits.seconds, self.remaining)),
            writable=writable,
            readable=readable,
            network=network,
        )
        return await run_sync(call)

    async def spend(self, *, calls: int = 0, tokens: int = 0, money: float = 0.0) -> None:
        """Reserve an amount of this attempt's share of the run's budget, before you spend it.

        The reservation is on the log when this returns, so a second process on the same attempt, or the next attempt
        after a crash, has only the rest. A negative amount returns what was reserved and not needed. Raises
        BudgetExceeded, and then nothing was reserved; let it pass, and the task fails without a second attempt.
        """
        await self._journal.reserve(Amount(calls=calls, tokens=tokens, money=money))

    async def left(self) -> BudgetShare:
        """What this attempt may still spend; None: no limit."""
        return await self._journal.left()

    @overload
    async def ask(self, answer: type[Said], skill: str, /, **given: Message | Sequence[Message] | None) -> Said: ...
    @overload
    async def ask(
        self, answer: type[list[Said]], skill: str, /, **given: Message | Sequence[Message] | None
    ) -> list[Said]: ...
    async def ask(
        self, answer: type[Said] | type[list[Said]], skill: str, /, **given: Message | Sequence[Message] | None
    ) -> Said | list[Said]:
        """Let another agent run this skill, and wait for its answer: a message of this type, or a list of them.

        The coordinator chooses the agent; parameters not given are bound by contract, as in a plan. It becomes a task
        of its own, with half of this attempt's remaining budget. If a redelivered task or a later attempt of this agent
        asks the same again, it gets the same answer, and the work is not repeated. Raises AskFailed: there is no
        answer, or whoever offers the skill returns another type; BudgetExceeded.
        """
        message, contract = wanted(answer)
        given_now = {name: said(value) for name, value in given.items() if value is not None}
        return heard(message, contract, skill, await self._asking.ask(skill, given_now, contract))

    def asking(self, skill: str, description: str, /, **inputs: type[Message]) -> Tool:
        """Another agent's skill as a tool for a model, under the skill's name. It takes these messages, by parameter.

        The coordinator chooses the agent; the model chooses only the input.
        """
        fields: dict[str, tuple[type[Message], EllipsisType]] = {
            name: (message, ...) for name, message in inputs.items()
        }
        reader = create_model(skill, __config__=ConfigDict(extra="forbid"), **fields)  # type: ignore[call-overload]

        async def call(given: Data) -> JsonValue:
            try:
                asked = reader.model_validate_json(to_json(given))
            except ValidationError as error:
                raise NonRetryableError(first_error(error)) from None
            return await self._asking.ask(skill, {name: said(getattr(asked, name)) for name in inputs})

        return Tool(skill, description, reader.model_json_schema(by_alias=False), call)

    @cached_property
    def _asking(self) -> Asking:
        return Asking(self._assigned, self._journal)

    async def model(
        self,
        answer: type[Shape],
        *,
        instructions: str,
        material: Material | Sequence[Material] = (),
        tools: Sequence[Tool] = (),
        max_tokens: int = 4096,
        effort: Effort | None = None,
        max_turns: int = 10,
    ) -> Shape:
        """Let a language model answer with a message of this type, or with text.

        `instructions` are the specialist's own words; `material` is what they are about: messages, Untrusted, text. The
        model may call the `tools`, in at most `max_turns`; `max_tokens` bounds the tokens of one reply. The team
        decides which model serves. Each call is on the log before its answer is used, and is not made again if the task
        is redelivered; the text is shown live as it comes.

        Raises ModelFailure (see its kind), BudgetExceeded, and PromptInjectionError if the instructions contain text
        from the task's input.
        """
        conversation = Conversation(
            self._calls,
            instructions=instructing(instructions, self._assigned.input),
            material=(material,) if isinstance(material, Message | Untrusted | str) else material,
            tools=tools,
            max_tokens=max_tokens,
            effort=effort,
            max_turns=max_turns,
        )
        said = await (conversation.message(answer) if issubclass(answer, Message) else conversation.text())
        return cast("Shape", said)

    @cached_property
    def _calls(self) -> Calls:
        return Calls(
            self._bus,
            self._journal,
            run=self.run,
            agent=self.agent,
            task=self.task,
            attempt=self.attempt,
            serving=self._assigned.serving or default(),
            models=self._models or here().model,
            prices=prices(),
            record=self._assigned.record,
        )

    async def close(self) -> None:
        """End the attempt: set `cancelled` for code that still runs, and delete the scratch folder."""
        self.cancelled = True
        if "scratch" in self.__dict__:
            with CancelScope(shield=True):
                await run_sync(partial(shutil.rmtree, self.scratch, ignore_errors=True))

    def once(self, key: str = "") -> str:
        """An idempotency key for an outside effect: the same in every attempt and delivery of this task."""
        return hashlib.sha256(f"{self.run}/{self.task}/{key}".encode()).hexdigest()[:32]
