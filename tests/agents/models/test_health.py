"""Patience with models that are not well: further tries, the circuit, the gate, and what it all has cost."""

from collections.abc import Callable

import anyio
import pytest

from hustings.agents.models import Breaker, Endpoints, Listener, Model, Provider, ResilientModel
from hustings.agents.models.fake import FakeEndpoint, Reply, fails, limited, overloaded, refuses, says
from hustings.protocols import ModelFailure, ModelReply, ModelRequest, RetryPolicy, TextPart, Trouble, Usage

from .asking import KEY, Ear, failure, request

MODEL = "anthropic:claude-sonnet-5-5"
ASKED = request(MODEL)
QUICK = RetryPolicy(initial_interval=0.01, max_interval=0.05)
REST = 0.5
GARBAGE = Reply(raw="<html></html>", content_type="text/html")


def endpoints(fake: FakeEndpoint, **more: object) -> Endpoints:
    given = {"kind": "anthropic", "base_url": fake.url, "key_env": "KEY"}
    return Endpoints({"anthropic": Provider.model_validate(given | more)}, {"KEY": KEY}, QUICK, REST)


@pytest.mark.parametrize(
    ("script", "tries"),
    [
        ([overloaded(), overloaded(), says("well")], 3),
        ([limited("0.1"), says("well")], 2),
        ([fails(500), says("well")], 2),
        ([GARBAGE, says("well")], 2),
        ([says("x" * 70, cut_after=5), says("well")], 2),
        ([says("x" * 70, error_after=5), says("well")], 2),
    ],
    ids=["529 twice", "429", "500", "garbage", "cut", "error event"],
)
async def test_what_passes_is_tried_again(script: list[Reply], tries: int) -> None:
    """A trouble that passes is not seen by the caller, but for what the broken tries cost."""
    with FakeEndpoint(script=script) as fake:
        reply = await endpoints(fake).model(MODEL)(ASKED, None)
    assert reply.text == "well"
    assert len(fake.calls) == tries
    wasted = script[0].status == 200
    assert reply.usage.estimated is wasted
    assert (reply.usage.total > 15) is wasted


@pytest.mark.parametrize(
    ("reply", "kind", "tries"),
    [
        (overloaded(), "overloaded", 3),
        (limited("0.01"), "limited", 3),
        (GARBAGE, "protocol", 2),
        (says("x", cut_after=4), "unreachable", 3),
        (says("late", hang=9), "hung", 1),
        (fails(401), "denied", 1),
        (fails(400), "rejected", 1),
    ],
)
async def test_what_lasts_fails_after_its_tries(reply: Reply, kind: Trouble, tries: int) -> None:
    """Three tries, two where garbage came, one where a further one would be no better or costs too much time."""
    with FakeEndpoint(handler=lambda body: reply) as fake:
        failed = await failure(endpoints(fake, first=0.3 if reply.hang else 20).model(MODEL), ASKED)
    assert (failed.kind, len(fake.calls)) == (kind, tries)
    single = 10 if reply.cut_after else 6  # what the vendor told of one try, or the estimate of it
    assert failed.usage.input == (single * tries if reply.status == 200 else 0)


async def test_retry_after_is_honoured() -> None:
    """The endpoint says when to come again, and no try is made before."""
    with FakeEndpoint(script=[limited("0.3"), says("well")]) as fake:
        await endpoints(fake).model(MODEL)(ASKED, None)
    assert fake.calls[1].at - fake.calls[0].at >= 0.3


@pytest.mark.parametrize("told", ["100000", "inf", "Wed, 24 Nov 2100 10:00:00 GMT"])
async def test_a_hostile_retry_after_fails_at_once(told: str) -> None:
    """Who asks for more than the patience gets no further try, and the failure says so."""
    with FakeEndpoint(script=[limited(told), says("never")]) as fake, anyio.fail_after(300):
        failed = await failure(endpoints(fake).model(MODEL), ASKED)
    assert failed.kind == "limited"
    assert "asks to wait" in failed.why
    assert len(fake.calls) == 1


async def test_a_refusal_is_a_reply_and_is_not_tried_again() -> None:
    """What a model says is not repaired here."""
    with FakeEndpoint(script=[refuses("no")]) as fake:
        assert (await endpoints(fake).model(MODEL)(ASKED, None)).stop == "refusal"


async def test_the_listener_hears_the_text_and_no_signs_of_life() -> None:
    """The pieces make the text, and none is empty."""
    ear = Ear()
    with FakeEndpoint(script=[says("Nothing is new.", thinking="hm")]) as fake:
        await endpoints(fake).model(MODEL)(ASKED, ear)
    assert "".join(ear.pieces) == "Nothing is new."
    assert all(ear.pieces)


class Patient:
    """A model that is well or not as it is told, counts its calls, and may be held."""

    def __init__(self) -> None:
        self.trouble: Trouble | None = None
        self.troubles: list[Trouble] = []  # come first
        self.calls = 0
        self.now = self.peak = 0
        self.entered, self.go = anyio.Event(), anyio.Event()

    async def __call__(self, request: ModelRequest, listener: Listener | None) -> ModelReply:
        self.calls, self.now = self.calls + 1, self.now + 1
        self.peak = max(self.peak, self.now)
        self.entered.set()
        try:
            await self.go.wait()
        finally:
            self.now -= 1
        if trouble := self.troubles.pop(0) if self.troubles else self.trouble:
            raise ModelFailure("not well", trouble, kind=trouble, usage=Usage(output=1))
        return ModelReply(model="m", stop="end", parts=(TextPart(text="well"),), usage=Usage(output=5))


def healthy(model: Model, retry: RetryPolicy = QUICK, rest: float = REST) -> ResilientModel:
    return ResilientModel(model, anyio.CapacityLimiter(8), Breaker(rest=rest), retry)


async def _until(true: Callable[[], bool]) -> None:
    with anyio.fail_after(300):
        while not true():  # noqa: ASYNC110 - it is time that is waited for
            await anyio.sleep(0.01)


async def test_the_circuit_opens_after_three_failures_in_a_row_and_lets_one_probe_through() -> None:
    """Open: fails at once with the kind of the last failure. After the rest one probes, the others still fail; if the
    probe fails it stays open, if it is answered the circuit closes."""
    patient = Patient()
    patient.go.set()
    patient.trouble = "hung"
    model = healthy(patient)
    for _ in range(3):
        await failure(model, ASKED)
    assert model.breaker.open
    failed = await failure(model, ASKED)
    assert (failed.what, failed.kind, failed.usage, patient.calls) == ("circuit open", "hung", Usage(), 3)

    await _until(lambda: not model.breaker.open)
    await failure(model, ASKED)  # the probe
    assert patient.calls == 4
    assert model.breaker.open

    await _until(lambda: not model.breaker.open)
    patient.trouble, patient.go, patient.entered = None, anyio.Event(), anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(model, ASKED)
        await patient.entered.wait()
        assert (await failure(model, ASKED)).what == "circuit open"
        patient.go.set()
    assert (await model(ASKED)).text == "well"
    assert patient.calls == 6


async def test_a_probe_that_is_cancelled_leaves_its_place() -> None:
    """Else no further call would ever probe."""
    patient = Patient()
    patient.go.set()
    patient.trouble = "hung"
    model = healthy(patient)
    for _ in range(3):
        await failure(model, ASKED)
    await _until(lambda: not model.breaker.open)
    patient.trouble, patient.go = None, anyio.Event()
    with anyio.move_on_after(0.05):
        await model(ASKED)
    patient.go.set()
    assert (await model(ASKED)).text == "well"


@pytest.mark.parametrize("between", ["denied", "limited", None])
async def test_whoever_answers_is_there(between: Trouble | None) -> None:
    """Only failures of the endpoint itself count, and only in a row."""
    patient = Patient()
    patient.go.set()
    model = healthy(patient, RetryPolicy(initial_interval=0.0), rest=60)
    for trouble in ("hung", "hung", between, "hung", "hung"):
        patient.trouble = trouble
        if trouble:
            assert (await failure(model, ASKED)).what == "not well"
        else:
            await model(ASKED)
    assert not model.breaker.open


async def test_no_more_calls_at_once_than_the_key_allows() -> None:
    """All calls of a key share one gate; the others wait before it, and are all served."""
    patient = Patient()
    gate = anyio.CapacityLimiter(3)
    models = [ResilientModel(patient, gate, Breaker(), QUICK) for _ in range(2)]
    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(models[number % 2], ASKED)
        await _until(lambda: gate.statistics().tasks_waiting == 17)
        patient.go.set()
    assert (patient.peak, patient.calls) == (3, 20)


async def test_what_failed_tries_cost_is_never_lost() -> None:
    """It is added to the reply's usage, and to that of the failure in which all ends."""
    patient = Patient()
    patient.go.set()
    patient.trouble = "limited"
    model = healthy(patient)
    assert (await failure(model, ASKED)).usage == Usage(output=3)
    patient.troubles = ["protocol", "limited"]
    patient.trouble = None
    assert (await model(ASKED)).usage == Usage(output=1 + 1 + 5)


async def test_unwell_while_all_that_were_called_have_open_circuits() -> None:
    """One of two hung is no reason to say so, both are, until one may probe. What was never called does not count."""
    with FakeEndpoint(handler=lambda body: says("late", hang=9)) as fake:
        models = endpoints(fake, first=0.02)
        one, other = models.model(MODEL), models.model("anthropic:claude-opus-5-5")
        models.model("anthropic:never-called")
        seen = [models.unwell]
        for model in (one, one, one, other, other, other):
            await failure(model, ASKED)
            seen.append(models.unwell)
        await _until(lambda: not models.unwell)
    assert seen == [False, False, False, True, False, False, True]
