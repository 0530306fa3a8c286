"""What can be a skill: whatever can work does, and whatever cannot is refused at import, in words."""

import asyncio
import functools
import inspect
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Any, Optional

import pytest

from hustings.agents import Specialist, TaskContext
from hustings.agents.testing import SkillFailed, bench
from hustings.protocols import BadSkill, Contract, Message, RetryPolicy, UsageError


class A(Message, contract="specialist.A.v1"):
    n: int = 0


class B(Message, contract="specialist.B.v1"):
    n: int = 0


FIVE, SEVEN = A(n=5), B(n=7)


def passing(function: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator as people write it for functions that are not async."""

    @functools.wraps(function)
    def inner(*args: object, **given: object) -> object:
        return function(*args, **given)

    return inner


def blocking(function: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator that makes an async function one that is not."""

    @functools.wraps(function)
    def inner(*args: object, **given: object) -> object:
        return asyncio.run(function(*args, **given))

    return inner


def nameless(function: Callable[..., Any]) -> Callable[..., Any]:
    def inner(*args: Any, **given: Any) -> Any:
        return function(*args, **given)

    return inner


async def plus(a: A) -> B:
    return B(n=a.n + 1)


async def ahead(a: A, /, b: B = SEVEN) -> B:
    return B(n=a.n + b.n)


async def all_ahead(a: A = FIVE, b: B = SEVEN, retries: int = 3, /) -> B:
    return B(n=100 * a.n + 10 * b.n + retries)


async def styled(a: A, style: B = SEVEN) -> B:
    return B(n=a.n + style.n)


async def untold(a: A, style: B = None) -> B:  # type: ignore[assignment]  # as many people write it
    return B(n=a.n + (100 if style is None else style.n))


async def maybe(a: A, b: Optional[B] = None) -> B:  # noqa: UP045 - as many people write it
    return B(n=a.n + (200 if b is None else b.n))


async def some(a: A, more: Sequence[B] = (B(n=1), B(n=2))) -> B:
    return B(n=a.n + sum(each.n for each in more))


async def plain(a: A, retries: int = 3, verbose=False, labels: dict[str, str] | None = None) -> B:  # type: ignore[no-untyped-def]
    return B(n=retries + a.n + len(labels or ()) + verbose)


async def attended(a: A, context: TaskContext | None = None) -> B:
    return B(n=1 if context else 0)


async def attended_old(a: A, context: Optional["TaskContext"] = None) -> B:
    return B(n=1 if context else 0)


async def by_name(*, a: A) -> B:
    return B(n=a.n)


async def of_tuple(many: tuple[A, ...]) -> B:
    return B(n=100 * isinstance(many, tuple) + len(many))


async def of_maybe_tuple(many: tuple[A, ...] | None) -> B:
    return B(n=100 * isinstance(many, tuple) + len(many or ()))


async def of_sequence(many: Sequence[A]) -> B:
    return B(n=sum(each.n for each in many))


async def bound(k: int, a: A, *, factor: int) -> B:
    return B(n=k * factor + a.n)


def deferred(a: A) -> Awaitable[B]:
    return plus(a)


@lru_cache
def cached(a: A) -> B:
    return B(n=a.n)


@dataclass
class Adder:
    by: int

    async def __call__(self, a: A) -> B:
        return B(n=a.n + self.by)

    async def method(self, a: A) -> B:
        return B(n=a.n + self.by)


class Slow:
    def __call__(self, a: A) -> B:
        return B(n=a.n)


ONE, MANY = A(n=1), [A(n=1), A(n=2)]
WORK: list[tuple[Callable[..., Any], str, dict[str, Any], int]] = [
    (plus, "plus", {"a": ONE}, 2),
    (passing(plus), "plus", {"a": ONE}, 2),
    (blocking(plus), "plus", {"a": ONE}, 2),
    (passing(passing(plus)), "plus", {"a": ONE}, 2),
    (deferred, "deferred", {"a": ONE}, 2),
    (ahead, "ahead", {"a": ONE}, 8),
    (ahead, "ahead", {"a": ONE, "b": B(n=2)}, 3),
    (all_ahead, "all_ahead", {}, 573),
    (all_ahead, "all_ahead", {"b": B(n=1)}, 513),
    (styled, "styled", {"a": ONE}, 8),
    (styled, "styled", {"a": ONE, "style": B(n=2)}, 3),
    (untold, "untold", {"a": ONE}, 101),
    (maybe, "maybe", {"a": ONE}, 201),
    (some, "some", {"a": ONE}, 4),
    (some, "some", {"a": ONE, "more": []}, 1),
    (plain, "plain", {"a": ONE}, 4),
    (attended, "attended", {"a": ONE}, 1),
    (attended_old, "attended_old", {"a": ONE}, 1),
    (by_name, "by_name", {"a": ONE}, 1),
    (of_tuple, "of_tuple", {"many": MANY}, 102),
    (of_maybe_tuple, "of_maybe_tuple", {"many": MANY}, 102),
    (of_maybe_tuple, "of_maybe_tuple", {}, 0),
    (of_sequence, "of_sequence", {"many": MANY}, 3),
    (partial(bound, 3, factor=5), "bound", {"a": ONE}, 16),
    (partial(partial(bound, 3), factor=5), "bound", {"a": ONE}, 16),
    (cached, "cached", {"a": ONE}, 1),
    (Adder(by=2), "Adder", {"a": ONE}, 3),
    (Adder(by=2).method, "method", {"a": ONE}, 3),
    (partial(Adder(by=2)), "Adder", {"a": ONE}, 3),
    (Slow(), "Slow", {"a": ONE}, 1),
]


@pytest.mark.parametrize(
    ("function", "name", "given", "n"), WORK, ids=[f"{number}-{name}" for number, (_, name, _, _) in enumerate(WORK)]
)
async def test_what_can_work_does(
    broker: str, function: Callable[..., Any], name: str, given: dict[str, Any], n: int
) -> None:
    """However it is written; what nobody feeds is its default."""
    specialist = Specialist("desk")
    assert specialist.skill(function) is function
    async with bench(specialist, broker) as call:
        assert await call(B, name, **given) == B(n=n)


def test_the_decorator_with_and_without_parentheses() -> None:
    """`@clerk.skill()` does what `@clerk.skill` does."""
    bare, called = Specialist("clerk"), Specialist("clerk")
    assert bare.skill(plus) is called.skill()(plus) is plus
    assert called.skills == bare.skills
    assert list(called.skills) == ["plus"]


def test_a_default_makes_a_parameter_optional_and_what_is_no_message_is_no_input() -> None:
    """The plan need not feed it; `retries: int = 3` is for whoever calls the function by hand."""
    specialist = Specialist("desk")
    for function in (styled, plain, some, attended):
        specialist.skill(function)
    inputs = {skill.name: skill.inputs for skill in specialist.card().skills}
    assert inputs["styled"] == {
        "a": Contract(type=A.__contract__),
        "style": Contract(type=B.__contract__, optional=True),
    }
    assert inputs["plain"] == inputs["attended"] == {"a": Contract(type=A.__contract__)}
    assert inputs["some"]["more"] == Contract(type=B.__contract__, many=True, optional=True)


async def star(*a: A) -> B: ...  # type: ignore[empty-body]
async def stars(**a: A) -> B: ...  # type: ignore[empty-body]
async def generated(a: A) -> AsyncIterator[B]:
    yield B()


def yielded(a: A) -> Iterator[B]:
    yield B()


def bare(a): ...  # type: ignore[no-untyped-def]
async def unsaid(a: A): ...  # type: ignore[no-untyped-def]
async def number(a: A, k: int) -> B: ...  # type: ignore[empty-body]
async def either(a: A | B = FIVE) -> B: ...  # type: ignore[empty-body]
async def mapped(a: dict[str, list[A]] = {}) -> B: ...  # type: ignore[empty-body]  # noqa: B006
async def pair(a: tuple[A, B]) -> B: ...  # type: ignore[empty-body]
async def nothing(a: A) -> B | None: ...
async def remembered(a: A) -> B: ...  # type: ignore[empty-body]


class Yielder:
    def __call__(self, a: A) -> Iterator[B]:
        yield B()


REFUSED: list[tuple[Any, str]] = [
    (star, r"star cannot take \*a"),
    (stars, r"stars cannot take \*\*a"),
    (nameless(plus), r"inner cannot take \*args.*functools\.wraps"),
    (generated, "generated is a generator"),
    (yielded, "yielded is a generator"),
    (partial(yielded), "yielded is a generator"),
    (Yielder(), "Yielder is a generator"),
    (lambda a: B(), "a lambda cannot be a skill"),
    (bare, "bare cannot take the parameter a: its annotation is missing"),
    (unsaid, "the return type of unsaid cannot be sent: its return annotation is missing"),
    (number, "number cannot take the parameter k: its annotation is int.*default"),
    (either, r"either cannot take the parameter a: its annotation is .*A \| .*B"),
    (mapped, "mapped cannot take the parameter a: its annotation is dict"),
    (pair, "pair cannot take the parameter a: its annotation is tuple"),
    (nothing, r"the return type of nothing cannot be sent: its return annotation is .*B \| None"),
    (cache(remembered), "remembered cannot be cached"),
    (Adder.method, r"method cannot take the parameter self: .*of an object"),
    ("plus", "'plus' cannot be a skill"),
]


@pytest.mark.parametrize(("function", "words"), REFUSED, ids=[words[:24] for _, words in REFUSED])
def test_what_cannot_work_is_refused_at_import_in_words(function: Any, words: str) -> None:
    """Who it is, what is wrong with it, and what to do."""
    specialist = Specialist("desk")
    with pytest.raises(BadSkill) as refused:
        specialist.skill(function)
    assert re.search(words, f"{refused.value} {refused.value.hint}")
    assert not specialist.skills


def test_a_skill_may_be_retried_in_its_own_way_and_have_a_timeout() -> None:
    """With or without brackets, as a decorator or by a call; the function stays what it is."""
    specialist, retry = Specialist("desk"), RetryPolicy(max_attempts=5, non_retryable=(ValueError,))
    assert specialist.skill(retry=retry, timeout=30)(plus) is plus
    assert specialist.skill(styled, timeout=0.5) is styled
    assert specialist.skill()(some) is some
    cards = {card.name: card for card in specialist.card().skills}
    assert (cards["plus"].retry, cards["plus"].timeout) == (retry, 30.0)
    assert (cards["styled"].retry, cards["styled"].timeout) == (None, 0.5)
    assert not {"retry", "timeout"} & cards["some"].plain().keys()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"timeout": 0}, "timeout cannot be 0.*more than 0"),
        ({"timeout": -1.0}, "timeout cannot be -1.0"),
        ({"timeout": float("inf")}, "timeout cannot be inf"),
        ({"timeout": float("nan")}, "timeout cannot be nan"),
        ({"timeout": "30"}, "timeout cannot be '30'.*a number"),
        ({"timeout": True}, "timeout cannot be True"),
        ({"retry": 3}, "retry cannot be 3"),
    ],
)
def test_a_wrong_limit_is_refused_at_import(given: dict[str, Any], says: str) -> None:
    """Before the function is looked at; the hint says what the setting means."""
    specialist = Specialist("desk")
    with pytest.raises(UsageError, match=says) as refused:
        specialist.skill(**given)
    assert f"{next(iter(given))}: how" in refused.value.hint
    assert not specialist.skills


SAID: list[tuple[object, object, str]] = [
    (None, B, "NoneType"),
    ({"n": 3}, B, "dict"),
    ((B() for _ in range(2)), list[B], "generator"),
    (None, list[B], "NoneType"),
    ([B(), None], list[B], "NoneType"),
    (B, B, "ModelMetaclass"),
]


@pytest.mark.parametrize(("said", "promised", "what"), SAID, ids=[f"{n}-{what}" for n, (_, _, what) in enumerate(SAID)])
async def test_what_is_no_answer_fails_at_its_author(broker: str, said: object, promised: object, what: str) -> None:
    """The failure names the skill, and what it returned."""

    def speak(a: A) -> object:
        return said

    speak.__annotations__["return"] = promised
    specialist = Specialist("desk")
    specialist.skill(speak)
    async with bench(specialist, broker) as call:
        with pytest.raises(SkillFailed, match=f"speak promised .*B.* and returned {what}"):
            await call(B, "speak", a=ONE)
    if inspect.isgenerator(said):
        said.close()
