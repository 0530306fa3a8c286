"""Calling: nothing is used before it is on the log, nothing that is on the log is paid for again."""

from functools import partial

import anyio
import pytest

from hustings.agents import fold
from hustings.agents.models import Listener, tool
from hustings.agents.skills.journal import Journal
from hustings.bus import Bus
from hustings.protocols import (
    COORDINATOR,
    Assigned,
    BudgetExceeded,
    BudgetShare,
    Called,
    Entry,
    Message,
    ModelFailure,
    ModelReply,
    ModelRequest,
    ReplayMismatch,
    Result,
    Subject,
    TextPart,
    Usage,
)
from hustings.protocols.envelope import seal

from .speakers import Speaker, context, spoken, wants


class Word(Message):
    word: str


async def said(bus: Bus, task: str = "t") -> list[Called]:
    return [entry.event for entry in await bus.log.work("r", "ann", task) if isinstance(entry.event, Called)]


async def test_a_call_is_on_the_log_with_its_answer_and_its_cost(bus: Bus) -> None:
    await context(bus, Speaker('{"word": "yes"}')).model(Word, instructions="Say a word.")
    (call,) = await said(bus)
    assert isinstance(call.answer, ModelReply)
    assert (call.name, call.answer.text) == ("anthropic:claude-sonnet-5-5", '{"word": "yes"}')
    assert (call.usage, call.spent.calls, call.spent.tokens) == (Usage(input=100, output=10), 1, 110)
    assert call.spent.money > 0


async def test_what_is_delivered_again_asks_nobody_again(bus: Bus) -> None:
    """Neither the model nor the tool; equal questions are told apart by their order."""
    looked: list[str] = []

    def look(at: str) -> str:
        looked.append(at)
        return f"{at} is green"

    async def skill(speaker: Speaker) -> list[str]:
        ours = context(bus, speaker)
        return [await ours.model(str, instructions="Look.", tools=[tool(look)]) for _ in range(2)]

    first = Speaker(wants("look", at="grass"), "green", wants("look", at="grass"), "green again")
    assert await skill(first) == ["green", "green again"]
    again = Speaker("never asked")
    assert await skill(again) == ["green", "green again"]
    assert again.requests == []
    assert looked == ["grass", "grass"]


async def test_a_new_attempt_goes_on_from_one_that_never_answered(bus: Bus) -> None:
    """It died, and what it had paid for is there. One that answered had its chance: the next asks afresh."""
    await context(bus, Speaker("one")).model(str, instructions="Count.")
    second = Speaker("two")
    assert await context(bus, second, attempt=2).model(str, instructions="Count.") == "one"
    await bus.log.complete("r", Result(task="t", attempt=1, agent="ann", output={}), source="ann")
    assert await context(bus, second, attempt=2).model(str, instructions="Count.") == "two"


async def test_of_two_processes_on_one_attempt_the_first_answer_stands_for_both(bus: Bus) -> None:
    """A redelivery while the first is still at work: both go on with the same answer."""
    both = anyio.Event()

    async def late(speaker: Speaker, heard: list[str]) -> None:
        heard.append(await context(bus, speaker).model(str, instructions="Toss a coin."))

    heads, tails = Speaker("heads"), Speaker("tails")
    ours = context(bus, heads)
    assert await ours.left() == BudgetShare()  # it has looked at the log, on which nothing is yet
    heard: list[str] = []
    await late(tails, heard)
    both.set()
    assert [await ours.model(str, instructions="Toss a coin."), *heard] == ["tails", "tails"]
    assert len(heads.requests) == 1


async def test_a_failed_call_costs_what_it_costs(bus: Bus) -> None:
    """It is recorded with its usage, and is no answer: the next time the model is asked again."""
    broken = ModelFailure("cut off", kind="rejected", usage=Usage(input=70, estimated=True))
    with pytest.raises(ModelFailure):
        await context(bus, Speaker(broken)).model(str, instructions="Go.")
    (call,) = await said(bus)
    assert (call.answer, call.usage.input, call.priced) == (None, 70, False)
    assert call.failed.startswith("rejected: cut off")
    assert await context(bus, Speaker("better")).model(str, instructions="Go.") == "better"


async def test_a_call_that_nobody_waits_for_any_more_is_on_record_with_an_estimate(bus: Bus) -> None:
    """The deadline, or the end of the run: the model may have been at work all the same."""

    async def forever(request: ModelRequest, listener: Listener | None) -> ModelReply:
        await anyio.sleep_forever()
        raise AssertionError

    ours = context(bus, Speaker(""))
    ours._models = lambda name: forever
    with anyio.move_on_after(0.2):
        await ours.model(str, instructions="Go.")
    (call,) = await said(bus)
    assert call.failed.startswith("cancelled")
    assert call.usage.input > 10
    assert not call.priced


async def test_another_model_is_asked_where_one_cannot_be_had(bus: Bus) -> None:
    speaker = Speaker(ModelFailure("busy", kind="overloaded"), "here I am")
    models = ("anthropic:claude-opus-5-5", "openai:other")
    assert await context(bus, speaker, models=models).model(str, instructions="Go.") == "here I am"
    assert [call.name for call in await said(bus)] == [*models]


# the budget


async def test_sixty_four_calls_at_once_against_a_budget_of_ten(bus: Bus) -> None:
    """By two processes that believe to be alone on the attempt: ten requests are made, and not one more."""
    speaker = Speaker("ok")
    two = [context(bus, speaker, share=BudgetShare(calls=10)) for _ in range(2)]
    refused: list[int] = []

    async def ask(n: int) -> None:
        try:
            await two[n % 2].model(str, instructions=f"Question {n}.")
        except BudgetExceeded:
            refused.append(n)

    async with anyio.create_task_group() as group:
        for n in range(64):
            group.start_soon(ask, n)
    assert len(speaker.requests) == 10
    assert len(refused) == 54


async def test_what_was_reserved_and_not_spent_is_free_again(bus: Bus) -> None:
    """A call reserves the most that it can cost, and keeps only what it did."""
    ours = context(bus, Speaker("ok"), share=BudgetShare(calls=5, tokens=20_000))
    await ours.model(str, instructions="Go.")
    left = await ours.left()
    assert (left.calls, left.tokens) == (4, 20_000 - 110)
    assert await context(bus, Speaker("ok"), share=BudgetShare(calls=5, tokens=20_000)).left() == left


async def test_where_the_budget_is_not_enough_a_cheaper_model_is_taken(bus: Bus) -> None:
    """If the team says so; else the task is over."""
    models = ("anthropic:claude-opus-5-5", "anthropic:claude-haiku-4-5")
    speaker = Speaker("ok")
    share = BudgetShare(money=0.04)
    ours = context(bus, speaker, share=share, models=models)
    assert await ours.model(str, instructions="Go.") == "ok"
    assert [request.model for request in speaker.requests] == ["anthropic:claude-haiku-4-5"]
    strict = context(bus, speaker, share=share, models=models, cheaper=False, task="t2")
    with pytest.raises(BudgetExceeded):
        await strict.model(str, instructions="Go.")
    assert len(speaker.requests) == 1


# replay


async def test_a_replay_asks_nobody_and_a_miss_is_an_error_by_name(bus: Bus) -> None:
    """With what is on record the skill comes to the same; a question that is not on record names itself."""
    await context(bus, Speaker("one")).model(str, instructions="Count.")
    entries = await bus.log.work("r", "ann", "t")
    silent = Speaker("never asked")

    def replayed() -> Journal:
        return Journal.of(bus, entries, agent="ann", task="t", attempt=1)

    ours = context(bus, silent)
    ours._journal = replayed()
    assert await ours.model(str, instructions="Count.") == "one"
    other = context(bus, silent)
    other._journal = replayed()
    with pytest.raises(ReplayMismatch, match=r"t has no answer on record to a request to anthropic:claude-sonnet-5-5"):
        await other.model(str, instructions="Count again.")
    assert silent.requests == []


async def test_an_answer_that_is_not_the_recorded_one_is_a_miss(bus: Bus) -> None:
    """Whoever changes an answer on the record is found out, by the record itself and by the state's hash."""
    await context(bus, Speaker("one")).model(str, instructions="Count.")
    (entry,) = await bus.log.work("r", "ann", "t")
    assert entry.envelope
    assert isinstance(entry.event, Called)
    forged = entry.event.model_copy(update={"answer": spoken("m", (TextPart(text="two"),))})
    changed = entry._replace(envelope=entry.envelope.model_copy(update={"data": forged}))
    ours = context(bus, Speaker("never asked"))
    ours._journal = Journal.of(bus, [changed], agent="ann", task="t", attempt=1)
    with pytest.raises(ReplayMismatch, match="another answer"):
        await ours.model(str, instructions="Count.")
    assert hashed(entry) != hashed(changed)


def hashed(call: Entry) -> str:
    """The hash of a run in which the call was made within a task that was really assigned."""
    assigned = Assigned(
        task="t", step="", agent="ann", attempt=1, skill="work", input={}, deadline=2**36, asked_by="plan"
    )
    said = seal(assigned, source="coordinator", run="r")
    state = fold(
        "r", [Entry(1, Subject("r", COORDINATOR, "task", ("ann",)), 0.0, said), call._replace(seq=2, time=0.0)]
    )
    assert state.invalid == 0
    return state.hash()


async def test_what_a_call_gives_back_is_given_back_once(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if the log is read again between the record of the call and its coming home, because another process has
    spent something of the same share meanwhile."""
    share = BudgetShare(calls=10, tokens=50_000)
    ours, journal = context(bus, Speaker("ok"), share=share), bus.log.called

    async def called(run: str, event: Called, *, source: str) -> bool:
        first = await journal(run, event, source=source)
        await context(bus, Speaker("ok"), share=share).spend(calls=1)
        with anyio.move_on_after(0.2):
            async with anyio.create_task_group() as group:
                group.start_soon(partial(ours.spend, calls=1))
        return first

    monkeypatch.setattr(bus.log, "called", called)
    await ours.model(str, instructions="Go.")
    assert (await ours.left()).tokens == (await context(bus, Speaker("ok"), share=share).left()).tokens == 50_000 - 110
