"""Attempt: one try of a task by a skill. Whatever the skill does, except ending its process, there is an answer."""

import math
import time
from collections.abc import Callable
from functools import partial
from inspect import isawaitable
from typing import cast
from weakref import WeakSet

import anyio
from anyio import CapacityLimiter, get_cancelled_exc_class
from anyio.to_thread import run_sync
from pydantic import JsonValue, ValidationError
from pydantic_core import from_json

from hustings.bus import Bus
from hustings.protocols import (
    Assigned,
    BudgetExceeded,
    Completion,
    Data,
    Failure,
    Message,
    ModelFailure,
    NonRetryableError,
    Result,
    Unsendable,
    UsageError,
)
from hustings.protocols.events import FailureKind
from hustings.protocols.retry import error_types
from hustings.protocols.validation import first_error
from hustings.protocols.wire import LARGEST, written

from ..models.model import Model
from ..observe.logger import structlog
from ..observe.sanitize import inert, masked
from .context import TaskContext
from .journal import Journal
from .leash import Leash
from .specialist import Parameter, Skill, Specialist
from .tracebacks import described, place_of, traceback_of, values_of

TYPES = 20  # classes of an exception that its failure names


class Attempts:
    """Tries tasks with the skills of one specialist, in this process."""

    def __init__(self, specialist: Specialist, bus: Bus, models: Callable[[str], Model] | None = None) -> None:
        self._specialist = specialist
        self._bus = bus
        self._models = models
        self._threads = _Threads(specialist.max_concurrent_tasks)
        self._leashes: WeakSet[Leash] = WeakSet()
        self._swallowed = 0

    @property
    def abandoned(self) -> int:
        """The number of abandoned attempts that still run: blocked threads and coroutines cut off."""
        return self._threads.abandoned + self._swallowed

    def close(self) -> None:
        """Try nothing more; coroutines that skills left behind can no longer swallow a cancellation."""
        for leash in self._leashes:
            leash.cut = True

    async def attempt(self, run: str, assigned: Assigned, journal: Journal | None = None) -> Completion:
        """The answer. Any exception of the skill becomes one, SystemExit too; only a cancellation from outside passes.

        With a `journal` this is a replay, from the journal's answers.
        """
        skill = self._specialist.skills.get(assigned.skill)
        if skill is None:
            why = f"{self._specialist.name} {self._specialist.version} has no skill {assigned.skill}"
            return failure(assigned, "non_retryable", why)
        context = TaskContext(run, assigned, self._bus, models=self._models, journal=journal)
        leash = Leash()
        self._leashes.add(leash)
        try:
            with anyio.move_on_after(context.remaining):
                return await self._result(skill, assigned, context, leash)
            late = "the deadline passed"
            if assigned.timeout and context.deadline < assigned.deadline:
                late = f"it took longer than {assigned.timeout:g} s"
            more = f", and {skill.name} went on: it ignores its cancellation" if leash.cut else ""
            return failure(assigned, "timed_out", f"{late}{more}")
        except _Misfit as error:
            return failure(assigned, "non_retryable", str(error))
        except BudgetExceeded as error:
            return self._raised(assigned, skill, error).model_copy(update={"exhausted": True})
        except get_cancelled_exc_class() as error:
            if anyio.current_effective_deadline() == -math.inf:
                raise
            return self._raised(assigned, skill, error)  # raised by the skill itself; it would end the worker
        except BaseException as error:  # noqa: BLE001 - a skill may raise anything: it becomes the answer
            return self._raised(assigned, skill, error)
        finally:
            if leash.cut:
                self._swallowed += 1
                structlog.get_logger().warning("swallows its cancellation", task=assigned.task, skill=skill.name)
            await context.close()

    def _raised(self, assigned: Assigned, skill: Skill, error: BaseException) -> Failure:
        final = isinstance(error, NonRetryableError | BudgetExceeded)
        failed = failure(assigned, "non_retryable" if final else "raised", str(error) if final else described(error))
        return failed.model_copy(
            update={
                "at": place_of(error, skill.function),
                "values": values_of(error, skill.function),
                "traceback": traceback_of(error, skill.function),
                "lasting": _lasting(error),
                "error_types": tuple(inert(name) for name in error_types(error)[:TYPES]),
            }
        )

    async def _result(self, skill: Skill, assigned: Assigned, context: TaskContext, leash: Leash) -> Result:
        arguments = _arguments(skill, assigned.input)
        if skill.context:
            arguments[skill.context] = context
        started = time.perf_counter()
        output = _spoken(skill, await leash.run(partial(self._call, skill, arguments)))
        return Result(
            task=assigned.task,
            attempt=assigned.attempt,
            agent=assigned.agent,
            output=output,
            version=self._specialist.version,
            seconds=round(time.perf_counter() - started, 6),
        )

    async def _call(self, skill: Skill, arguments: dict[str, object]) -> object:
        call = skill.call(arguments)
        said = await self._threads.run(call) if skill.blocks else call()
        return await said if isawaitable(said) else said


def failure(assigned: Assigned, kind: FailureKind, because: str) -> Failure:
    """The Failure that answers an attempt. The worker adds its version."""
    text = masked(inert(because[:4000]))[:2000]
    return Failure(task=assigned.task, attempt=assigned.attempt, agent=assigned.agent, kind=kind, because=text)


def _lasting(error: BaseException) -> bool:
    """True if this process would fail again: a package, a key or a setting is missing, or a request is refused."""
    if isinstance(error, ModelFailure):
        return error.kind in ("denied", "rejected")
    return isinstance(error, ImportError | SyntaxError) or type(error) is UsageError


class _Threads:
    """Worker threads, and how many of them are still busy with an abandoned task.

    A thread cannot be cancelled: when its task is, the thread is left behind.
    """

    def __init__(self, most: int) -> None:
        self._limiter = CapacityLimiter(most)
        self._left: list[_Call] = []

    @property
    def abandoned(self) -> int:
        self._left = [call for call in self._left if not call.ended]
        return len(self._left)

    async def run(self, function: Callable[[], object]) -> object:
        call = _Call(function)
        try:
            return await run_sync(call, abandon_on_cancel=True, limiter=self._limiter)
        finally:
            if call.begun and not call.ended:
                self._left.append(call)


class _Call:
    """A call in a thread, and its state."""

    def __init__(self, function: Callable[[], object]) -> None:
        self._function = function
        self.begun = self.ended = False

    def __call__(self) -> object:
        self.begun = True
        try:
            return self._function()
        finally:
            self.ended = True


class _Misfit(Exception):
    """The input is not what the skill takes."""


def _arguments(skill: Skill, given: Data) -> dict[str, object]:
    try:
        return {name: _argument(parameter, given.get(name)) for name, parameter in skill.inputs.items()}
    except ValidationError as error:
        raise _Misfit(f"{error.title}: {first_error(error)}") from None


def _argument(parameter: Parameter, value: JsonValue) -> object:
    if value is None and parameter.contract.optional:
        return parameter.default
    if parameter.contract.many:
        return parameter.together(map(parameter.message.of, cast("list[JsonValue]", value or [])))
    return parameter.message.of(value)


def _spoken(skill: Skill, said: object) -> JsonValue:
    message, contract = skill.output.message, skill.output.contract
    words = said if contract.many and isinstance(said, list | tuple) else [said]
    for word in words:
        if not isinstance(word, message):
            raise TypeError(f"{skill.name} promised {message.__name__} and returned {type(word).__name__}")
    parts = [written(cast("Message", word), message) for word in words]
    raw = b"[%b]" % b",".join(parts) if contract.many else parts[0]
    if len(raw) > LARGEST:
        raise Unsendable(
            f"the answer of {skill.name} cannot be sent", f"it has {len(raw)} bytes; the limit is {LARGEST}"
        )
    return cast("JsonValue", from_json(raw))
