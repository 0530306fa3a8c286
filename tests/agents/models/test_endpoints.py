"""Which models a process can call, where their keys are, and that a key shows up nowhere."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from hustings.agents.models import Endpoints, Provider, configured
from hustings.agents.models.fake import FakeEndpoint, Reply, fails, says
from hustings.protocols import ModelFailure, UsageError

from .asking import KEY, Ear, request

CLAUDE = request("anthropic:claude-sonnet-5-5")
LLAMA = request("local:llama")


async def test_two_providers_need_no_file(tmp_path: Path) -> None:
    """anthropic and openai are there, with keys and base URLs of the environment."""
    with FakeEndpoint(script=[says("one"), says("two")]) as fake:
        environ = {
            "ANTHROPIC_API_KEY": KEY,
            "ANTHROPIC_BASE_URL": fake.url,
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": f"{fake.url}/v1",
        }
        endpoints = configured(environ, tmp_path)
        assert (await endpoints.model("anthropic:claude-sonnet-5-5")(CLAUDE, None)).text == "one"
        assert (await endpoints.model("openai:gpt-6-sol")(request("openai:gpt-6-sol"), None)).text == "two"
    assert endpoints.has("anthropic")
    assert endpoints.has("openai")


async def test_hustings_toml_adds_providers_and_changes_the_two(tmp_path: Path) -> None:
    """A row names kind, base URL and where the key is, relative to the file; one without a key needs none."""
    with FakeEndpoint(script=[says("one"), says("two"), says("three")]) as fake:
        (tmp_path / "key").write_text(f"{KEY}\n")
        (tmp_path / "hustings.toml").write_text(
            f"""
            [providers.local]
            kind = "openai"
            base_url = "{fake.url}/v1"
            [providers.proxy]
            kind = "anthropic"
            base_url = "{fake.url}"
            key_file = "key"
            [providers.anthropic]
            base_url = "{fake.url}"
            key_env = "MY_KEY"
            """
        )
        below = tmp_path / "below"
        below.mkdir()
        endpoints = configured({"MY_KEY": "another"}, below)
        assert (await endpoints.model("local:llama")(LLAMA, None)).text == "one"
        assert (await endpoints.model("proxy:x")(request("proxy:x"), None)).text == "two"
        assert (await endpoints.model("anthropic:x")(request("anthropic:x"), None)).text == "three"
    sent = [call.headers["authorization"] for call in fake.calls]
    assert sent == ["Bearer none", f"Bearer {KEY}", "Bearer another"]


@pytest.mark.parametrize(
    "text",
    [
        "providers = 1",
        "[providers]\nlocal = 1",
        '[providers.local]\nbase_url = "http://x"',
        '[providers.local]\nkind = "openai"\nbase_url = "ftp://x"',
        '[providers.local]\nkind = "openai"\nat_once = 0',
        '[providers.local]\nkind = "openai"\nkey = "sk-canary"',
        "[providers",
    ],
)
def test_a_provider_that_is_not_well_described_is_refused(text: str, tmp_path: Path) -> None:
    """The error names the file; a key written into it is not repeated."""
    (tmp_path / "hustings.toml").write_text(text)
    with pytest.raises(UsageError) as caught:
        configured({}, tmp_path)
    assert "hustings.toml" in caught.value.what
    assert "sk-canary" not in str(caught.value)


@pytest.mark.parametrize("name", ["nobody:model", "anthropic", "anthropic:", ""])
def test_a_model_that_nobody_serves_is_refused(name: str, tmp_path: Path) -> None:
    """The error names the providers there are."""
    with pytest.raises(UsageError, match="anthropic, openai"):
        configured({}, tmp_path).model(name)


async def test_the_key_is_read_at_each_call(tmp_path: Path) -> None:
    """Missing: denied before anything is sent. A key that was put into the file since counts at the next call."""
    with FakeEndpoint(script=[says("one"), says("two")]) as fake:
        environ = {"ANTHROPIC_BASE_URL": fake.url, "ANTHROPIC_API_KEY_FILE": str(tmp_path / "key")}
        endpoints = configured(environ, tmp_path)
        assert not endpoints.has("anthropic")
        assert not endpoints.has("nobody")
        with pytest.raises(ModelFailure) as failed:
            endpoints.model("anthropic:claude-sonnet-5-5")
        assert (failed.value.kind, fake.calls) == ("denied", [])
        assert "ANTHROPIC_API_KEY" in failed.value.hint
        for key in ("first", "second"):
            (tmp_path / "key").write_text(f"{key}\n")
            assert endpoints.has("anthropic")
            await endpoints.model("anthropic:claude-sonnet-5-5")(CLAUDE, None)
    assert [call.headers["authorization"] for call in fake.calls] == ["Bearer first", "Bearer second"]


@pytest.mark.parametrize("key", ["two words", "two\nlines", "schlüssel"])
async def test_what_cannot_be_a_key_is_denied(key: str) -> None:
    """A page or a list in the key's file is told in words, and not repeated."""
    provider = Provider(kind="anthropic", base_url="http://127.0.0.1:1", key_env="KEY")
    with pytest.raises(ModelFailure) as failed:
        Endpoints({"anthropic": provider}, {"KEY": key}).model("anthropic:x")
    assert failed.value.kind == "denied"
    assert key not in str(failed.value)


@pytest.mark.parametrize(
    "reply",
    [
        says("well"),
        fails(401, f"{KEY} is no good key"),
        fails(400, f"the header was Bearer {KEY}"),
        Reply(raw=f"<html>{KEY}</html>", content_type="text/html"),
        says("x" * 70, cut_after=5),
        says("late", hang=9),
    ],
)
@pytest.mark.parametrize("name", ["anthropic", "openai"])
async def test_the_key_shows_up_nowhere(
    reply: Reply, name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in a failure, though the endpoint repeats it, nor in a repr, nor in any log, however much is logged."""
    caplog.set_level(logging.DEBUG)
    with FakeEndpoint(handler=lambda body: reply) as fake:
        provider = Provider.model_validate(
            {
                "kind": name,
                "base_url": f"{fake.url}{'/v1' * (name == 'openai')}",
                "key_env": "KEY",
                "first": 0.5 if reply.hang else 20,
            }
        )
        endpoints = Endpoints({name: provider}, {"KEY": KEY})
        model = endpoints.model(f"{name}:x")
        shown = [repr(thing) for thing in (provider, endpoints, vars(endpoints), model)]
        try:
            shown.append(repr(await model(request(f"{name}:x"), Ear())))
        except ModelFailure as failed:
            shown += [str(failed), repr(failed), failed.hint, repr(failed.__context__), repr(vars(failed))]
    assert fake.calls[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in "\n".join([*shown, caplog.text, *(repr(vars(journal)) for journal in caplog.records)])


LIGHT = """
import sys, anyio
import hustings.agents
from hustings.agents import Specialist
from hustings.agents.models import configured, prices
from hustings.protocols import Message

class Text(Message):
    text: str

clerk = Specialist("clerk", "shouts")

@clerk.skill
async def shout(text: Text) -> Text:
    return Text(text=text.text.upper())

from hustings.agents.testing import *
assert anyio.run(shout, Text(text="a")).text == "A"
from pathlib import Path
configured({"ANTHROPIC_API_KEY": "x"}, Path.cwd()).model("anthropic:claude-sonnet-5-5")
prices()
print(*sorted({"anthropic", "openai", "httpx2", "mcp"} & set(sys.modules)))
"""


@pytest.mark.processes
def test_no_vendors_package_before_a_model_is_called() -> None:
    """Specialists that call no model, and processes that only know where models are, import none of their packages."""
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
