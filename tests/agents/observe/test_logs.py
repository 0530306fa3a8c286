"""Logs: what a child says, what never gets out, and what a person sees."""

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hustings.agents.observe.logs import level_of, render_line, shows
from hustings.agents.observe.sanitize import inert, masked, without_secrets

CHILD = """
import logging, sys, warnings
from hustings.agents.observe.logs import configure_logging
configure_logging("clerk", format=sys.argv[1])
import structlog
log = structlog.get_logger().bind(run="r1")
log.debug("not shown")
log.info("connected", url="nats://joe:hunter2@h:4222", api_key="sk-1", tokens=512, odd={1: object})
try:
    raise ValueError("bad url tls://s3cr3t@host\\nsecond line")
except ValueError:
    log.exception("it\\nfailed")
logging.getLogger("some.library").info("not shown either")
logging.getLogger("some.library").warning("slow %s", "nats://tok@h")
warnings.warn("old", DeprecationWarning)
"""


def child(form: str) -> list[str]:
    command = [sys.executable, "-W", "always", "-c", CHILD, form]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return done.stderr.splitlines()


@pytest.mark.processes
def test_a_child_says_json_lines_without_secrets() -> None:
    events: list[dict[str, Any]] = [json.loads(line) for line in child("json")]
    connected, failed, library, warning = events
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", connected.pop("timestamp"))
    assert connected == {
        "level": "info",
        "event": "connected",
        "agent": "clerk",
        "run": "r1",
        "url": "nats://***@h:4222",
        "api_key": "***",
        "tokens": 512,
        "odd": {"1": "<class 'object'>"},
    }
    assert (failed["level"], failed["event"]) == ("error", "it\nfailed")
    assert "ValueError: bad url tls://***@host\nsecond line" in failed["exception"]
    assert (library["level"], library["event"], library["agent"]) == ("warning", "slow nats://***@h", "clerk")
    assert "DeprecationWarning: old" in warning["event"]


@pytest.mark.processes
def test_by_hand_the_same_is_text() -> None:
    lines = child("text")
    assert re.fullmatch(r"\d\d:\d\d:\d\d clerk \| connected run=r1 url=nats://\*\*\*@h:4222 .*", lines[0])
    assert all(" clerk | " in line for line in lines)


def test_an_unknown_level_is_refused() -> None:
    from hustings.agents.observe.logs import configure_logging

    with pytest.raises(ValueError, match="no log level 'loud'"):
        configure_logging("clerk", level="loud")


@pytest.mark.parametrize(
    "key", ["token", "TOKEN", "auth_token", "apiKey", "api-key", "x_api_key", "password", "db.secret", "Authorization"]
)
def test_telling_keys_are_masked_at_any_depth(key: str) -> None:
    assert without_secrets({"a": [{key: "hunter2"}]}) == {"a": [{key: "***"}]}
    assert without_secrets({key: ["hunter2", {"x": 1}]}) == {key: "***"}


def test_counts_and_harmless_words_stay() -> None:
    event = {"tokens": 12, "input_tokens": 3.5, "token": None, "secretary": "Ann", "tokenizer": "bpe"}
    assert without_secrets(event) == event
    assert without_secrets({"password": 1234}) == {"password": "***"}


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("nats://u:p@a:1,nats://u:q@b:2", "nats://***@a:1,nats://***@b:2"),
        ("cannot reach nats://tok@h, gave up", "cannot reach nats://***@h, gave up"),
        ("wss://u:p%40x@h/path?mail=a@b", "wss://***@b"),
        ("no nats://tok/en+1=@h:1. ask me@example.org", "no nats://***@example.org"),
        ("no nats://h:1: ask me@example.org", "no nats://h:1: ask me@example.org"),
        ("see url:nats://h:1 and url:nats://u:x y@h, or not", "see url:nats://h:1 and url:nats://***@h, or not"),
        ("nats://u:p,nats://x@h", "nats://***,nats://***@h"),
        ("https://u:a/b@h/x", "https://***@h/x"),
        ("https://example.org/?to=nats://u:a/b@h", "https://example.org/?to=nats://***@h"),
        ("https://example.org/@user and me@example.org", "https://***@example.org"),
    ],
)
def test_userinfo_of_urls_is_masked_in_any_string(text: str, safe: str) -> None:
    assert without_secrets(text) == safe
    assert without_secrets({"x": (text,)}) == {"x": [safe]}


def test_a_value_that_holds_itself_is_cut() -> None:
    loop: dict[str, Any] = {}
    loop["me"] = loop
    assert json.dumps(without_secrets(loop))


def line(**event: object) -> str:
    return json.dumps({"timestamp": "2026-11-22T10:11:12.5Z", "level": "info", "agent": "x", **event})


def tail(rendered: str) -> list[str]:
    return [part[9:] for part in rendered.splitlines()]


def test_a_log_line_is_shown_with_time_name_event_and_keys() -> None:
    raw = line(event="took task", task="t1", words="two words", n=3, ok=None)
    shown = render_line("clerk", raw, width=7)
    assert re.match(r"\d\d:11:12 ", shown)
    assert tail(shown) == ['clerk   | took task task=t1 words="two words" n=3 ok=null']


def test_warnings_are_named_and_exceptions_follow_under_the_same_prefix() -> None:
    raw = line(event="failed", level="error", exception="Traceback:\n  boom", task="t1")
    assert tail(render_line("a", raw)) == ["a | error: failed task=t1", "a | Traceback:", "a |   boom"]


@pytest.mark.parametrize(
    "raw",
    [
        "plain",
        "{not json",
        '{"no": "event"}',
        '{"event": 1}',
        '{"event":' + "[" * 100_000,
        "[1]",
        '{"event":' + "9" * 5000,
    ],
)
def test_what_is_no_log_is_shown_as_it_is(raw: str) -> None:
    assert tail(render_line("a", raw)) == [f"a | {raw}"]


def test_colour_is_stable_and_off_by_default() -> None:
    assert "\x1b" not in render_line("a", line(event="x", level="error"))
    colored = render_line("a", line(event="x", level="error"), color=True)
    assert colored == render_line("a", line(event="x", level="error"), color=True)
    assert colored.count("\x1b[0m") == 2


@pytest.mark.parametrize("event", ["one\nother | forged", "one\u2028other | forged", "one\x0bother | forged"])
def test_no_agent_can_speak_in_anothers_name(event: str) -> None:
    assert all(part.startswith("a | ") for part in tail(render_line("a", line(event=event))))


def test_odd_timestamps_do_no_harm() -> None:
    for stamp in ("", "yesterday", 5, "0001-01-01T00:00:00+23:59", None):
        assert re.match(r"\d\d:\d\d:\d\d a \| x$", render_line("a", line(event="x", timestamp=stamp)))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]unterminated", "unterminated"),
        ("\x1b[2J\x1b[Hgone\r\n", "gone\n"),
        ("\x1bcreset", "reset"),
        ("a\tb\nc", "a\tb\nc"),
        ("\u202eevil\u2066", "evil"),
        ("\ud800", "\ufffd"),
        ("größe ⚡ 田中さん 👩‍👩‍👧", "größe ⚡ 田中さん 👩‍👩‍👧"),
        ("\x1b\x1b[31m[31mx", "[31mx"),
    ],
)
def test_inert(text: str, plain: str) -> None:
    assert inert(text) == plain


@given(st.text() | st.text(alphabet="\x1b[]\x07\\;0m\x9b\x9c\n\tA"))
def test_inert_leaves_nothing_a_terminal_would_obey(text: str) -> None:
    out = inert(text)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", out)
    assert inert(out) == out


def test_inert_is_quick_on_hostile_text() -> None:
    for evil in ("\x1b]" * 100_000, "\x1b[" + "0" * 200_000, "\x1b[0" * 100_000, "\x1b" * 200_000):
        assert len(inert(evil)) <= 200_000
    for evil in ("://a", "://a@", "nats://a ", "nats://a:b ", ",nats://a:b@", "=a://"):
        assert without_secrets(evil * 50_000)
    assert without_secrets("a" * 200_000 + "://")


@given(st.text("/+#?@:,%&= []'abZ09.-") | st.text(), st.sampled_from(["nats", "tls", "WSS", "https"]))
def test_no_part_of_a_secret_is_left_in_a_message(odd: str, scheme: str) -> None:
    secret = "K3Y" + "".join(odd.split()) + "K3Y"
    urls = [f"{scheme}://me:{secret}@h:1", f"{scheme}://g:1,{scheme}://me:{secret}@h:1"]
    if scheme != "https" or "." not in secret:  # or it is the address of a page, https://a.b/@c
        urls.append(f"{scheme}://{secret}/@h:1")
    for url in urls:
        assert "K3Y" not in masked(f"no broker at {url}: gave up\nbye")


@pytest.mark.parametrize(
    ("levels", "clerk", "scribe"),
    [("", "info", "info"), ("debug", "debug", "debug"), ("clerk=debug,warning", "debug", "warning"),
     ("WARNING , clerk=Error", "error", "warning"), ("clerk=debug", "debug", "info")],
)  # fmt: skip
def test_levels_by_agent(levels: str, clerk: str, scribe: str) -> None:
    """An entry with the agent's name counts before one for all; without one the default."""
    assert (level_of("clerk", levels), level_of("scribe", levels)) == (clerk, scribe)


def test_what_is_shown_of_a_child() -> None:
    """Its log from a level on, and always what is no log: an error of Python itself must not be lost."""
    line = '{"level": "info", "event": "done"}'
    assert (shows(line, "debug"), shows(line, "info"), shows(line, "warning")) == (True, True, False)
    assert shows("Traceback (most recent call last):", "critical")
