"""What a skill may do to its worker, short of ending the process: each comes to an answer, and the worker goes on."""

import asyncio
import inspect
import sys
import threading
import time
from collections.abc import Callable

import anyio
import pytest

from hustings.agents import Specialist, TaskContext
from hustings.agents.skills.attempt import Attempts
from hustings.agents.testing import SkillFailed, bench, serving
from hustings.bus import Bus
from hustings.protocols import Assigned, Data, Failure, Message, NonRetryableError

TITLE = "\x1b]0;owned\x07"  # sets the title of a terminal that obeys


class Way(Message, contract="attempt.Way.v1"):
    name: str


class Word(Message, contract="attempt.Word.v1"):
    value: object


class Mute(Exception):
    def __str__(self) -> str:
        raise ValueError("not even this")


def throw(error: BaseException) -> object:
    raise error


def recurse() -> object:
    return recurse()


class Guarded:
    def __repr__(self) -> str:
        return "open-sesame"


def leak(way: Way) -> object:
    password, guarded, url = "hunter2", Guarded(), "nats://me:s3cret@host:4222"
    given = {"token": "hunter2", "guarded": guarded}
    raise ValueError(f"{TITLE} {url} sk-ant-REDACTED", len(password), len(given))  # it leaks


def caused() -> object:
    nothing: dict[str, object] = {}
    try:
        return nothing["first"]
    except KeyError as error:
        raise ValueError("then") from error


def long(depth: int = 0) -> object:
    words = [f"{'é' * 100}{depth}"] * 3
    more = even_more = words
    if depth < 30 and more and even_more:
        return long(depth + 1)
    raise ValueError("é" * 1000)


def nested(depth: int) -> object:
    value: object = 0
    for _ in range(depth):
        value = [value]
    return value


WAYS: dict[str, tuple[Callable[[], object], str]] = {
    "raise": (lambda: throw(ValueError("no way")), "ValueError: no way"),
    "leak": (lambda: leak(Way(name="leak")), "ValueError: "),
    "caused": (caused, "ValueError: then"),
    "long": (long, "ValueError: "),
    "memory": (lambda: bytearray(2**62), "MemoryError: "),
    "recursion": (recurse, "RecursionError: maximum recursion depth exceeded"),
    "system-exit": (lambda: sys.exit("enough"), "SystemExit: enough"),
    "interrupt": (lambda: throw(KeyboardInterrupt()), "KeyboardInterrupt: "),
    "cancel": (lambda: throw(asyncio.CancelledError("by myself")), "CancelledError: by myself"),
    "group": (
        lambda: throw(BaseExceptionGroup("both", [ValueError("one"), SystemExit(2)])),
        "BaseExceptionGroup: both (2 sub-exceptions); ValueError: one; SystemExit: 2",
    ),
    "mute": (lambda: throw(Mute()), "Mute: its text cannot be had: ValueError"),
    "unsayable": (lambda: throw(ValueError("\udc80")), "ValueError: \ufffd"),
    "wrong-type": (lambda: "Word", "TypeError: go promised Word and returned str"),
    "no-json": (lambda: Word(value=object()), "Unsendable: Word cannot be sent: "),
    "surrogate": (lambda: Word(value="\udc80"), "Unsendable: Word cannot be sent: "),
    "deep": (lambda: Word(value=nested(230)), "Unsendable: Word cannot be sent: it is nested"),
    "huge": (lambda: Word(value="x" * (65 * 2**20)), "Unsendable: Word cannot be sent: it has 681574"),
    "refuse": (lambda: throw(NonRetryableError("not this one")), "not this one"),
    "good": (lambda: Word(value=1), ""),
}

convict = Specialist("convict", "goes that way", version="6.6.6")


@convict.skill
async def go(way: Way) -> Word:
    return WAYS[way.name][0]()  # type: ignore[return-value]


@convict.skill
def go_in_thread(way: Way) -> Word:
    return WAYS[way.name][0]()  # type: ignore[return-value]


@pytest.mark.parametrize("skill", ["go", "go_in_thread"])
async def test_whatever_a_skill_raises_is_its_answer(broker: str, skill: str) -> None:
    """Type and text of it, also where the text cannot be had or sent; the worker then does the next task as ever."""
    async with bench(convict, broker) as call:
        for way, (_, text) in WAYS.items():
            if text:
                with pytest.raises((SkillFailed, NonRetryableError)) as failed:
                    await call(Word, skill, way=Way(name=way))
                assert str(failed.value).startswith(
                    text.replace("go said", f"{skill} said").replace("go p", f"{skill} p")
                ), way
        assert await call(Word, skill, way=Way(name="good")) == Word(value=1)


def task(number: int, skill: str, seconds: float = 60) -> Assigned:
    deadline = time.time() + seconds
    given: Data = {"way": {"name": "good"}}
    return Assigned(task=f"t{number}", step="", agent="convict", attempt=1, skill=skill, input=given, deadline=deadline)


async def failures(bus: Bus, run: str, count: int) -> list[Failure]:
    found: list[Failure] = []
    async for entry in bus.log.follow(run):
        if isinstance(entry.event, Failure):
            found.append(entry.event)
            if len(found) == count:
                break
    return found


async def test_a_failure_says_the_version_that_failed(broker: str, bus: Bus) -> None:
    """Whoever would redrive the task to a newer version has to know."""
    async with serving(convict, broker, bus.team):
        await bus.log.append("r1", [task(1, "nothing")], after=0, source="test")
        (failure,) = await failures(bus, "r1", 1)
        assert (failure.kind, failure.version) == ("non_retryable", "6.6.6")


async def failed(bus: Bus, skill: str, way: str) -> Failure:
    assigned = task(1, skill).model_copy(update={"input": {"way": {"name": way}}})
    answer = await Attempts(convict, bus).attempt("r1", assigned)
    assert isinstance(answer, Failure)
    return answer


@pytest.mark.parametrize("skill", ["go", "go_in_thread"])
async def test_a_failure_has_its_place_and_its_traceback(bus: Bus, skill: str) -> None:
    """The own frames with file, line, source line and values; those of others are counted; the text is last."""
    answer = await failed(bus, skill, "leak")
    source = inspect.getsource(leak).splitlines()
    line = leak.__code__.co_firstlineno + next(n for n, row in enumerate(source) if "# it leaks" in row)
    assert answer.at.endswith(f"test_attempt.py:{line}")
    assert "frames of hustings" in answer.traceback
    assert f", line {line}, in leak\n" in answer.traceback
    assert "      way = Way(name='leak')\n" in answer.traceback
    assert answer.values["way"] == "Way(name='leak')"
    assert "agents/skills/attempt.py" not in answer.traceback
    assert answer.traceback.splitlines()[-1].startswith("ValueError: ")


async def test_a_traceback_has_no_secrets_and_no_escapes(bus: Bus) -> None:
    """Neither values under a secret's name, nor literals in the source, nor URLs with credentials, nor any object's own
    words; no code of a value runs."""
    answer = await failed(bus, "go", "leak")
    told = answer.traceback + str(answer.values)
    for secret in ("hunter2", "open-sesame", "s3cret", "sk-ant", "\x1b"):
        assert secret not in told
    assert "password = ***" in told
    assert "'token'=***" in told or "token=***" in told


async def test_a_traceback_is_bounded_and_keeps_the_innermost_frames(bus: Bus) -> None:
    """However deep the recursion and long the texts; the place and the exception's text are still there."""
    for way in ("recursion", "long"):
        answer = await failed(bus, "go", way)
        assert len(answer.traceback.encode()) <= 8 * 1024, way
        assert "outer frames" in answer.traceback, way
        assert max(map(len, answer.values.values()), default=0) <= 200, way
        assert answer.at.rpartition(":")[0].endswith("test_attempt.py"), way
        assert answer.at.rpartition(":")[2] in answer.traceback, way


async def test_a_failure_without_own_frames_names_the_skill(bus: Bus) -> None:
    """A wrong return type is found by the framework: the place is where the skill is defined."""
    answer = await failed(bus, "go", "wrong-type")
    assert answer.at.endswith(f"test_attempt.py:{go.__code__.co_firstlineno}")


async def test_a_traceback_tells_causes_and_members(bus: Bus) -> None:
    """What an exception was raised from, and what is in a group."""
    told = (await failed(bus, "go", "caused")).traceback
    assert told.index("KeyError: 'first'") < told.index("is the cause of") < told.index("ValueError: then")
    assert "ValueError: one" in (await failed(bus, "go", "group")).traceback


async def test_a_failure_names_the_classes_of_its_exception(bus: Bus) -> None:
    """A policy that names one of them lets no attempt follow."""
    assert (await failed(bus, "go", "raise")).error_types == ("ValueError", "Exception")
    assert (await failed(bus, "go", "recursion")).error_types == ("RecursionError", "RuntimeError", "Exception")


async def test_a_timeout_counts_from_the_start_of_the_work(bus: Bus) -> None:
    """It ends the attempt long before the deadline, and the skill sees when that will be; the reason says which."""
    slow, left = Specialist("convict"), list[float]()

    @slow.skill
    async def go(way: Way, context: TaskContext) -> Way:
        left.append(context.remaining)
        await anyio.sleep_forever()
        return way

    with anyio.fail_after(300):
        short = await Attempts(slow, bus).attempt("r1", task(1, "go", 60).model_copy(update={"timeout": 0.2}))
        late = await Attempts(slow, bus).attempt("r1", task(2, "go", 0.2).model_copy(update={"timeout": 60.0}))
    assert isinstance(short, Failure)
    assert isinstance(late, Failure)
    assert (short.kind, short.because) == ("timed_out", "it took longer than 0.2 s")
    assert (late.kind, late.because) == ("timed_out", "the deadline passed")
    assert all(0 <= seconds <= 0.2 for seconds in left)


async def test_threads_that_stay_wear_the_worker_out(broker: str, bus: Bus) -> None:
    """A sync skill is answered for at its deadline; its thread stays. Recycled after as many as tasks at once."""
    gate = threading.Event()
    stuck = Specialist("convict", max_concurrent_tasks=2)

    @stuck.skill
    def hang(way: Way) -> Way:
        gate.wait()
        return way

    try:
        async with serving(stuck, broker, bus.team) as worker:
            after = await bus.log.append("r1", [task(1, "hang", 0.3)], after=0, source="test")
            assert [failure.kind for failure in await failures(bus, "r1", 1)] == ["timed_out"]
            assert not worker.recycle.is_set()
            await bus.log.append("r1", [task(2, "hang", 0.3)], after=after, source="test")
            with anyio.fail_after(300):
                await worker.recycle.wait()
            assert [failure.kind for failure in await failures(bus, "r1", 2)] == ["timed_out", "timed_out"]
    finally:
        gate.set()
