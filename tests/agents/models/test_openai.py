"""The adapter of OpenAI's protocol: the real package against the fake, over HTTP."""

import sys

import pytest

from hustings.agents.models import Model
from hustings.agents.models.adapter import Access
from hustings.agents.models.fake import FakeEndpoint, Reply, answers, calls, fails, limited, refuses, says
from hustings.agents.models.openai import OpenAI
from hustings.protocols import Data, ModelRequest, Opaque, TextPart, ToolResult, Turn, Usage, UsageError

from .asking import ADD, KEY, SHAPE, Ear, both, failure, request

MODEL = "local:llama"
ASKED = request(MODEL)


def adapter(url: str, first: float = 5.0, stall: float = 5.0) -> Model:
    return OpenAI(Access(f"{url}/v1", lambda: KEY, first, stall))


async def test_text_comes_in_one_piece_and_streamed_alike() -> None:
    """Both ways give the same reply; the listener is told the text; instructions go first, as the system's."""
    with FakeEndpoint(script=[says("Nothing is new."), says("Nothing is new.")]) as fake:
        model, ear = adapter(fake.url), Ear()
        whole, streamed = await model(ASKED, None), await model(ASKED, ear)
    assert whole.text == streamed.text == "".join(ear.pieces) == "Nothing is new."
    assert len([piece for piece in ear.pieces if piece]) > 1
    assert whole.stop == streamed.stop == "end"
    assert whole.usage == streamed.usage == Usage(input=10, output=5)
    assert whole.id.startswith("req_fake")
    assert streamed.id.startswith("req_fake")
    assert fake.calls[0].headers["authorization"] == f"Bearer {KEY}"
    assert fake.calls[0].body == {
        "model": "llama",
        "max_tokens": 4096,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is new?"}],
    }


@pytest.mark.parametrize("usage", [Usage(input=4, output=3, estimated=True)])
async def test_usage_that_is_not_told_is_estimated_by_length(usage: Usage) -> None:
    """Local servers leave the usage out: then it is four characters a token, of both sides, and said to be so."""
    asked = ModelRequest(
        model=MODEL, instructions="", turns=(Turn(role="user", parts=(TextPart(text="What is new???"),)),)
    )
    whole, streamed, _ = await both(adapter, asked, says("x" * 12, usage=False))
    assert streamed.usage == usage
    assert whole.usage.estimated
    assert whole.usage.input == usage.input
    assert whole.usage.output >= usage.output


async def test_a_shape_is_strict_wherever_it_can_be() -> None:
    """Strict mode wants each property required and no default; where keys are open, the shape goes as it is."""
    whole, streamed, bodies = await both(
        adapter, request(MODEL, shape=SHAPE, effort="low"), answers({"word": "hustings"})
    )
    assert whole.text == streamed.text == '{"word":"hustings"}'
    strict: Data = {
        "type": "object",
        "properties": {"word": {"type": "string"}, "count": {"type": "integer"}},
        "required": ["word", "count"],
        "additionalProperties": False,
    }
    named: Data = {"name": "answer", "schema": strict, "strict": True}
    for body in bodies:
        assert body["response_format"] == {"type": "json_schema", "json_schema": named}
        assert body["reasoning_effort"] == "low"
    table: Data = {"type": "object", "properties": {"default": {"type": "object"}}}
    _, _, bodies = await both(adapter, request(MODEL, shape=table), answers({}))
    named = {"name": "answer", "schema": table, "strict": False}
    assert bodies[0]["response_format"] == {"type": "json_schema", "json_schema": named}


async def test_a_tool_is_called_and_its_result_goes_back() -> None:
    """A call comes with its input as JSON; results go as messages of their own, before what is said besides."""
    with FakeEndpoint(script=[*2 * [calls("add", {"a": 12345678}, text="So:")], says("done")]) as fake:
        model = adapter(fake.url)
        whole = await model(request(MODEL, tools=(ADD,)), None)
        streamed = await model(request(MODEL, tools=(ADD,)), Ear())
        id = whole.tool_calls[0].id
        turns = (
            *ASKED.turns,
            Turn(role="assistant", parts=(Opaque(data={"of": "another"}), *whole.parts)),
            Turn(role="user", parts=(TextPart(text="Go on."), ToolResult(id=id, text="2"))),
        )
        await model(request(MODEL, *turns), None)
    for reply in (whole, streamed):
        assert reply.stop == "tools"
        assert [(call.name, call.input) for call in reply.tool_calls] == [("add", {"a": 12345678})]
        assert reply.text == "So:"
    function: Data = {"name": "add", "description": "adds", "parameters": ADD.inputs}
    assert fake.calls[0].body["tools"] == [{"type": "function", "function": function}]
    called = {"id": id, "type": "function", "function": {"name": "add", "arguments": '{"a":12345678}'}}
    sent = fake.calls[2].body["messages"]
    assert isinstance(sent, list)
    assert sent[2:] == [
        {"role": "assistant", "content": "So:", "tool_calls": [called]},
        {"role": "tool", "tool_call_id": id, "content": "2"},
        {"role": "user", "content": "Go on."},
    ]


@pytest.mark.parametrize(
    ("reply", "stop", "because"),
    [(refuses("I will not."), "refusal", "I will not."), (says("I was goi", stop="length"), "length", "length")],
)
async def test_a_reply_that_is_not_whole_is_a_reply(reply: Reply, stop: str, because: str) -> None:
    """A refusal and a reply without room say why they stop, and what they cost."""
    whole, streamed, _ = await both(adapter, ASKED, reply)
    for got in (whole, streamed):
        assert (got.stop, got.because, got.text) == (stop, because, reply.text)
        assert got.usage == Usage(input=10, output=5)


async def test_stop_with_calls_means_tools() -> None:
    """Some servers say "stop" where they mean "tool_calls"."""
    body = (
        '{"model": "m", "choices": [{"finish_reason": "stop", "message": {"content": null, "tool_calls": '
        '[{"id": "1", "type": "function", "function": {"name": "add", "arguments": "{}"}}]}}], "usage": {}}'
    )
    with FakeEndpoint(script=[Reply(raw=body), Reply(raw=body.replace('"{}"', '"{oops"'))]) as fake:
        reply = await adapter(fake.url)(ASKED, None)
        failed = await failure(adapter(fake.url), ASKED)
    assert reply.stop == "tools"
    assert reply.tool_calls[0].input == {}
    assert reply.usage.estimated
    assert failed.kind == "protocol"  # arguments that are no JSON are not guessed at


NO_MONEY = Reply(
    status=429, raw='{"error": {"message": "quota", "type": "insufficient_quota", "code": "insufficient_quota"}}'
)
ERRORS = [
    (fails(401), "denied"),
    (NO_MONEY, "denied"),
    (fails(400), "rejected"),
    (fails(404), "rejected"),
    (limited("1"), "limited"),
    (fails(500), "overloaded"),
    (fails(503), "overloaded"),
]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(("reply", "kind"), ERRORS)
async def test_a_status_says_what_the_trouble_is(reply: Reply, kind: str, streamed: bool) -> None:
    """Each status is a failure of its kind, after one try, and costs nothing."""
    with FakeEndpoint(script=[reply, says("never")]) as fake:
        failed = await failure(adapter(fake.url), ASKED, streamed=streamed)
    assert (failed.kind, failed.usage, len(fake.calls)) == (kind, Usage(), 1)


STRANGE = [
    Reply(raw='{"id": "1", "choices": [{"mess'),
    Reply(raw="<html>Log in first</html>", content_type="text/html"),
    Reply(raw='{"greeting": "hello"}'),
    Reply(raw='{"model": "m", "choices": []}'),
    Reply(raw="[1, 2]"),
    Reply(raw="data: {oops\n\n", content_type="text/event-stream"),
    Reply(raw='data: {"model": "m", "choices": [7]}\n\n', content_type="text/event-stream"),
]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("reply", STRANGE)
async def test_what_is_no_answer_is_a_failure_of_the_protocol(reply: Reply, streamed: bool) -> None:
    """Status 200 with a truncated body, a page, or another shape: never a reply; that it was read is reckoned with."""
    with FakeEndpoint(script=[reply]) as fake:
        failed = await failure(adapter(fake.url), ASKED, streamed=streamed)
    assert failed.kind == "protocol"
    assert failed.usage.estimated
    assert failed.usage.input > 0


async def test_a_broken_stream_costs_what_had_come() -> None:
    """A stream that is cut is unreachable, one that says an error is of its kind; both by the length of the text."""
    with FakeEndpoint(script=[says("x" * 400, cut_after=40), says("x" * 70, error_after=5)]) as fake:
        cut = await failure(adapter(fake.url), ASKED, streamed=True)
        told = await failure(adapter(fake.url), ASKED, streamed=True)
    assert (cut.kind, told.kind) == ("unreachable", "overloaded")
    assert (cut.usage.output, told.usage.output) == (69, 7)  # 39 and 4 pieces of 7 characters
    assert cut.usage.input == told.usage.input == 6
    assert cut.usage.estimated
    assert told.usage.estimated


async def test_without_the_package_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package openai is an extra."""
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(UsageError) as caught:
        await adapter("http://127.0.0.1:1")(ASKED, None)
    assert caught.value.hint == "pip install 'hustings[openai]'"
