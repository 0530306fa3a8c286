"""The adapter of Anthropic's protocol: the real package against the fake, over HTTP."""

import pytest

from hustings.agents.models import Model
from hustings.agents.models.adapter import Access
from hustings.agents.models.anthropic import Anthropic
from hustings.agents.models.fake import FakeEndpoint, Reply, answers, calls, fails, limited, overloaded, refuses, says
from hustings.protocols import Opaque, TextPart, ToolCall, ToolResult, Turn, Usage

from .asking import ADD, KEY, SHAPE, Ear, both, failure, request

MODEL = "anthropic:claude-sonnet-5-5"
ASKED = request(MODEL)


def adapter(url: str, first: float = 5.0, stall: float = 5.0) -> Model:
    return Anthropic(Access(url, lambda: KEY, first, stall))


async def test_text_comes_in_one_piece_and_streamed_alike() -> None:
    """Both ways give the same reply; the listener is told the text; instructions go as `system`, the key as bearer."""
    with FakeEndpoint(script=[says("Nothing is new."), says("Nothing is new.")]) as fake:
        model, ear = adapter(fake.url), Ear()
        whole, streamed = await model(ASKED, None), await model(ASKED, ear)
    assert whole.text == streamed.text == "".join(ear.pieces) == "Nothing is new."
    assert len([piece for piece in ear.pieces if piece]) > 1
    assert whole.stop == streamed.stop == "end"
    assert whole.usage == streamed.usage == Usage(input=10, output=5)
    assert whole.id.startswith("req_fake")
    assert streamed.id.startswith("req_fake")
    assert streamed.model == "claude-sonnet-5-5"
    assert streamed.seconds > 0
    first = fake.calls[0]
    assert first.headers["authorization"] == f"Bearer {KEY}"
    assert first.body["system"] == "Be brief."
    assert first.body["model"] == "claude-sonnet-5-5"
    assert "output_config" not in first.body


async def test_a_shape_and_an_effort_go_as_they_are() -> None:
    """A shape is the schema of output_config, beside the effort."""
    asked = request(MODEL, shape=SHAPE, effort="low")
    whole, streamed, bodies = await both(adapter, asked, answers({"word": "hustings", "count": 2}))
    assert whole.text == streamed.text == '{"word":"hustings","count":2}'
    for body in bodies:
        assert body["output_config"] == {"format": {"type": "json_schema", "schema": SHAPE}, "effort": "low"}


async def test_a_tool_is_called_with_its_input() -> None:
    """A tool goes as a card; its call comes back with the input as JSON, and the reply stops for tools."""
    whole, streamed, bodies = await both(
        adapter, request(MODEL, tools=(ADD,)), calls("add", {"a": 12345678}, text="So:")
    )
    for reply in (whole, streamed):
        assert reply.stop == "tools"
        assert [(call.name, call.input) for call in reply.tool_calls] == [("add", {"a": 12345678})]
        assert reply.text == "So:"
    assert bodies[0]["tools"] == [{"name": "add", "description": "adds", "input_schema": ADD.inputs}]


async def test_a_call_without_input_is_one_with_an_empty_object() -> None:
    """A stream says no more of such an input than {}."""
    whole, streamed, _ = await both(adapter, request(MODEL, tools=(ADD,)), calls("add", {}))
    assert whole.tool_calls[0].input == streamed.tool_calls[0].input == {}


async def test_a_conversation_goes_back_as_it_came() -> None:
    """Thinking, calls and results of tools are sent as the protocol says; thinking only to the model it came from."""
    with FakeEndpoint(
        script=[calls("add", {"a": 1}, thinking="Let me add.", text="So:"), says("2"), says("3")]
    ) as fake:
        model = adapter(fake.url)
        reply = await model(ASKED, Ear())
        id = reply.tool_calls[0].id
        turns = (
            *ASKED.turns,
            Turn(role="assistant", parts=reply.parts),
            Turn(role="user", parts=(ToolResult(id=id, text="2", failed=True), TextPart(text="Go on."))),
        )
        await model(request(MODEL, *turns), None)
        await model(request("anthropic:claude-opus-5-5", *turns), None)
    assert [type(part) for part in reply.parts] == [Opaque, TextPart, ToolCall]
    thinking = {"type": "thinking", "thinking": "Let me add.", "signature": "signed"}
    call = {"type": "tool_use", "id": id, "name": "add", "input": {"a": 1}}
    own, other = (call.body["messages"] for call in fake.calls[1:])
    text = {"type": "text", "text": "So:"}
    assert isinstance(own, list)
    assert isinstance(other, list)
    assert own[1] == {"role": "assistant", "content": [thinking, text, call]}
    assert other[1] == {"role": "assistant", "content": [text, call]}
    result = {"type": "tool_result", "tool_use_id": id, "content": "2", "is_error": True}
    assert own[2] == {"role": "user", "content": [result, {"type": "text", "text": "Go on."}]}


@pytest.mark.parametrize(
    ("reply", "stop", "because"),
    [
        (refuses("too sharp", text="I"), "refusal", "cyber: too sharp"),
        (says("I was goi", stop="length"), "length", "max_tokens"),
        (says("Searching", stop="pause"), "length", "pause_turn"),
    ],
)
async def test_a_reply_that_is_not_whole_is_a_reply(reply: Reply, stop: str, because: str) -> None:
    """A refusal, even with partial text, and a reply without room say why they stop, and what they cost."""
    whole, streamed, _ = await both(adapter, ASKED, reply)
    for got in (whole, streamed):
        assert (got.stop, got.because, got.text) == (stop, because, reply.text)
        assert got.usage == Usage(input=10, output=5)


ERRORS = [
    (fails(401), "denied"),
    (fails(403), "denied"),
    (fails(402), "denied"),
    (fails(400), "rejected"),
    (fails(404), "rejected"),
    (fails(413), "rejected"),
    (fails(422), "rejected"),
    (limited("1"), "limited"),
    (overloaded(), "overloaded"),
    (fails(500), "overloaded"),
    (fails(503), "overloaded"),
]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(("reply", "kind"), ERRORS)
async def test_a_status_says_what_the_trouble_is(reply: Reply, kind: str, streamed: bool) -> None:
    """Each status is a failure of its kind, after one try, and costs nothing."""
    with FakeEndpoint(script=[reply, says("never")]) as fake:
        failed = await failure(adapter(fake.url), ASKED, streamed=streamed)
    assert failed.kind == kind
    assert failed.usage == Usage()
    assert len(fake.calls) == 1


TRUNCATED = Reply(raw='{"id": "msg_1", "type": "message", "content": [{"type": "te')
HTML = Reply(raw="<html>Log in first</html>", content_type="text/html")
OTHER = Reply(raw='{"greeting": "hello"}')
LIST = Reply(raw="[1, 2]")
NOT_OURS = Reply(raw='event: greeting\ndata: {"hello": 1}\n\n', content_type="text/event-stream")
NO_JSON = Reply(raw="event: message_start\ndata: {oops\n\n", content_type="text/event-stream")
HALF = Reply(raw='event: message_start\ndata: {"type": "message_start"}\n\n', content_type="text/event-stream")


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("reply", [TRUNCATED, HTML, OTHER, LIST, NOT_OURS, NO_JSON, HALF])
async def test_what_is_no_answer_is_a_failure_of_the_protocol(reply: Reply, streamed: bool) -> None:
    """Status 200 with a truncated body, a page, or another shape: never a reply; that it was read is reckoned with."""
    with FakeEndpoint(script=[reply]) as fake:
        failed = await failure(adapter(fake.url), ASKED, streamed=streamed)
    assert failed.kind == "protocol"
    assert failed.usage.estimated
    assert failed.usage.input > 0


async def test_a_broken_stream_costs_what_had_come() -> None:
    """A stream that is cut is unreachable; its usage is that of its start and of the text since."""
    with FakeEndpoint(script=[says("x" * 400, input=123, cut_after=40)]) as fake:
        failed = await failure(adapter(fake.url), ASKED, streamed=True)
    assert failed.kind == "unreachable"
    assert failed.usage == Usage(input=123, output=65, estimated=True)  # 37 pieces of 7 characters


async def test_a_stream_that_ends_early_is_broken() -> None:
    """Without its last event a stream is no reply, though the connection was closed in order."""
    events = 'event: message_start\ndata: {"type": "message_start", "message": {"usage": {"input_tokens": 9}}}\n\n'
    with FakeEndpoint(script=[Reply(raw=events, content_type="text/event-stream")]) as fake:
        failed = await failure(adapter(fake.url), ASKED, streamed=True)
    assert (failed.kind, failed.usage) == ("unreachable", Usage(input=9, estimated=True))


async def test_an_error_within_a_stream_is_told_by_its_type() -> None:
    """It comes with status 200; what had come before it is paid."""
    with FakeEndpoint(script=[says("x" * 70, error_after=5)]) as fake:
        failed = await failure(adapter(fake.url), ASKED, streamed=True)
    assert failed.kind == "overloaded"
    assert failed.usage == Usage(input=10, output=4, estimated=True)


async def test_the_input_of_a_call_that_was_cut_off_is_not_used() -> None:
    """With the limit of tokens reached a half input is left out with its call, in a stream as well."""
    start = (
        'event: message_start\ndata: {"type":"message_start","message":{"model":"m","usage":{"input_tokens":1}}}\n\n'
    )
    block = (
        'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":'
        '{"type":"tool_use","id":"t","name":"add","input":{}}}\n\n'
        'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":'
        '{"type":"input_json_delta","partial_json":"{\\"a\\": 1"}}\n\n'
    )
    end = (
        'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"REASON"},"usage":'
        '{"output_tokens":7}}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n'
    )
    script = [
        Reply(raw=start + block + end.replace("REASON", reason), content_type="text/event-stream")
        for reason in ("max_tokens", "tool_use")
    ]
    with FakeEndpoint(script=script) as fake:
        model = adapter(fake.url)
        reply = await model(ASKED, Ear())
        failed = await failure(model, ASKED, streamed=True)
    assert (reply.stop, reply.parts, reply.usage) == ("length", (), Usage(input=1, output=7))
    assert (failed.kind, failed.usage) == ("protocol", Usage(input=1, output=7, estimated=True))


async def test_nobody_there_is_unreachable_and_free() -> None:
    """A refused connection costs nothing; the failure says where, without a password in the URL."""
    with FakeEndpoint() as fake:
        url = fake.url
    failed = await failure(adapter(url.replace("//", "//me:secret@")), ASKED, streamed=True)
    assert (failed.kind, failed.usage) == ("unreachable", Usage())
    assert url.removeprefix("http://") in failed.why
    assert "secret" not in str(failed)
