"""Adapter: what all adapters share. Failures become ModelFailures here, without the key."""

import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import pydantic_core

from hustings.protocols import ModelFailure, ModelReply, ModelRequest, TextPart, ToolResult, Trouble, Usage

if TYPE_CHECKING:
    import httpx2

CONNECT = 5.0  # seconds
WHOLE = 600.0  # seconds for an answer that is not streamed
LONGEST = 400  # characters kept of an endpoint's text


@dataclass(frozen=True)
class Access:
    """How to reach an endpoint. `key` gives the key when called, or raises ModelFailure `denied`.

    A stream hangs if it has not begun after `first` seconds, or has been silent for `stall`.
    """

    base_url: str
    key: Callable[[], str]
    first: float = 20.0
    stall: float = 10.0


class Postponed(ModelFailure):
    """The endpoint rejected the request for now; it asks to wait for `after` seconds."""

    try_this = "Try again when the endpoint says, or let another model serve this skill."
    after = 0.0


class Sdk(Protocol):
    """What the errors of both vendors' packages have in common."""

    @property
    def APIError(self) -> type[Exception]: ...
    @property
    def APIConnectionError(self) -> type[Exception]: ...
    @property
    def APITimeoutError(self) -> type[Exception]: ...


class Bill:
    """The cost of a call so far: an estimate from the moment when the endpoint may have read the request."""

    def __init__(self, request: ModelRequest) -> None:
        self._request = request
        self._told: Usage | None = None
        self._characters = 0

    def used(self, usage: Usage) -> None:
        """The vendor's figures; its `output` may lag behind the text."""
        self._told = usage

    def received(self, text: str) -> None:
        self._characters += len(text)

    @property
    def usage(self) -> Usage:
        """The vendor's figures, plus the text since; without them an estimate of both sides by length."""
        output = tokens(self._characters)
        if self._told is None:
            return Usage(input=tokens(length(self._request)), output=output, estimated=True)
        output = max(output, self._told.output)
        return self._told.model_copy(update={"output": output, "estimated": True})


def tokens(characters: int) -> int:
    """About how many tokens this many characters are."""
    return -(-characters // 4)


def length(request: ModelRequest) -> int:
    """How many characters the model gets."""
    parts = [part for turn in request.turns for part in turn.parts]
    said = sum(len(part.text if isinstance(part, TextPart | ToolResult) else part.model_dump_json()) for part in parts)
    cards = sum(len(card.model_dump_json()) for card in request.tools)
    return len(request.instructions) + said + cards + (len(str(request.shape)) if request.shape else 0)


def vendors_name(request: ModelRequest) -> str:
    """The vendor's name of the model: without the PROVIDER."""
    return request.model.partition(":")[2] or request.model


async def imported(name: str) -> None:
    """Import a package in a thread: it takes seconds, and the agent must go on sending heartbeats."""
    await anyio.to_thread.run_sync(import_module, name)


@cache
def trust() -> ssl.SSLContext:
    """The trusted certificates. Shared, because reading them takes longer than the rest of a client."""
    import httpx2

    return httpx2.create_ssl_context()


def retry_policy(access: Access, streamed: bool) -> "httpx2.Timeout":
    """Timeouts for the connection, and then for the head of the answer."""
    import httpx2

    return httpx2.Timeout(access.first if streamed else WHOLE, connect=min(CONNECT, access.first))


def until_stalled(response: "httpx2.Response", access: Access) -> None:
    """From here on `stall` bounds the silence between two pieces of the body.

    It is checked where the bytes arrive: a ping is a sign of life too, and the packages drop pings.
    """
    response.request.extensions["timeout"]["read"] = access.stall


async def conversed(
    sdk: Sdk, access: Access, bill: Bill, conversation: Callable[[str], Awaitable[ModelReply]]
) -> ModelReply:
    """Run a conversation with the endpoint; it is given the key. Any failure is raised as ModelFailure.

    The failure has no `__context__`: the package's own errors may quote the key.
    """
    import httpx2

    key, began = access.key(), anyio.current_time()
    try:
        reply = await conversation(key)
        return reply.model_copy(update={"seconds": anyio.current_time() - began})
    except (TimeoutError, sdk.APITimeoutError, httpx2.TimeoutException) as error:
        failure = _silent(error, access, bill)
    except (sdk.APIConnectionError, httpx2.TransportError) as error:
        failure = _cut(error, access, bill)
    except sdk.APIError as error:
        failure = _answered(error, bill)
    except ModelFailure as error:
        failure = error
    except ValueError as error:  # from JSON or pydantic: the answer breaks the protocol
        failure = _garbled(error, bill)
    raise _clean(failure, key)


def strange(what: str, bill: Bill) -> ModelFailure:
    """The failure for an answer that breaks the protocol."""
    return ModelFailure("the endpoint does not speak its protocol", what, kind="protocol", usage=bill.usage)


def _unconnected(error: Exception) -> bool:
    import httpx2

    cause = error.__cause__ or error
    return isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.UnsupportedProtocol)


def _silent(error: Exception, access: Access, bill: Bill) -> ModelFailure:
    if _unconnected(error):
        return _cut(error, access, bill)
    why = f"no answer for {access.first:g} s, or a pause of {access.stall:g} s in the answer"
    return ModelFailure("the model does not answer", why, kind="hung", usage=bill.usage)


def _cut(error: Exception, access: Access, bill: Bill) -> ModelFailure:
    if _unconnected(error):
        where = urlsplit("//" + access.base_url.rpartition("://")[2].rpartition("@")[2]).netloc  # without a password
        why = f"{where}: {error.__cause__ or error or type(error).__name__}"
        return ModelFailure("the endpoint cannot be reached", why, kind="unreachable")
    why = str(error.__cause__ or error) or type(error).__name__
    return ModelFailure("the connection broke", why, kind="unreachable", usage=bill.usage)


def _garbled(error: ValueError, bill: Bill) -> ModelFailure:
    bill.received(str(getattr(error, "doc", "")))
    return strange(f"{type(error).__name__}: {str(error).splitlines()[0]}", bill)


def _answered(error: Any, bill: Bill) -> ModelFailure:
    """The failure for an error that the endpoint reported: by status, or within a stream by the type it names."""
    status = int(getattr(error, "status_code", 200))
    word = f"{_named(error, 'type')} {_named(error, 'code')}"
    kind = _by_status(status, word) if status >= 400 else _by_word(word)
    usage = Usage() if status >= 400 else bill.usage
    what = f"the endpoint answered {status}" if status >= 400 else "the endpoint broke off with an error"
    after = _after(error) if kind in ("limited", "overloaded") else 0.0
    if after:
        failure = Postponed(what, str(error), kind=kind, usage=usage)
        failure.after = after
        return failure
    return ModelFailure(what, str(error), kind=kind, usage=usage)


def _named(error: Any, field: str) -> str:
    body = getattr(error, "body", None)
    inner = body.get("error", body) if isinstance(body, dict) else None
    return str(inner.get(field) or "") if isinstance(inner, dict) else ""


def _by_status(status: int, word: str) -> Trouble:
    if status in (401, 402, 403) or "insufficient_quota" in word:
        return "denied"
    if status == 429:
        return "limited"
    return "overloaded" if status >= 500 or status in (408, 409) else "rejected"


def _by_word(word: str) -> Trouble:
    table: dict[str, Trouble] = {
        "rate_limit": "limited",
        "authentication": "denied",
        "permission": "denied",
        "billing": "denied",
        "insufficient_quota": "denied",
        "invalid_request": "rejected",
        "not_found": "rejected",
        "too_large": "rejected",
    }
    return next((kind for part, kind in table.items() if part in word), "overloaded")


def _after(error: Any) -> float:
    """The seconds that the endpoint asks to wait, in any of the three ways to ask; 0 if it does not ask."""
    headers: Mapping[str, str] = error.response.headers if hasattr(error, "response") else {}
    if milliseconds := _number(headers.get("retry-after-ms")):
        return milliseconds / 1000
    told = str(headers.get("retry-after") or "")
    return _number(told) or _until(told)


def _number(text: object) -> float:
    try:
        number = float(str(text))
    except ValueError:
        return 0.0
    return number if number > 0 else 0.0


def _until(date: str) -> float:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return 0.0
    return max((moment.astimezone(UTC) - datetime.now(UTC)).total_seconds(), 0.0)


def _clean(failure: ModelFailure, key: str) -> ModelFailure:
    """The same failure, shortened, and without the key if the endpoint quoted it."""
    what, why = (text.replace(key, "[key]") if key else text for text in (failure.what, failure.why))
    clean = type(failure)(what, why[:LONGEST], failure.hint, kind=failure.kind, usage=failure.usage)
    if isinstance(failure, Postponed) and isinstance(clean, Postponed):
        clean.after = failure.after
    return clean


def plain(thing: Any) -> dict[str, Any]:
    """The package's output as plain data: the packages give it out unchecked. Raises ValueError."""
    if not hasattr(thing, "to_dict"):
        raise ValueError(f"not an object but {str(thing)[:80]!r}")
    told: dict[str, Any] = thing.to_dict(mode="json", warnings=False)
    return told


def read_json(text: str) -> Any:
    """The JSON value of a text. Raises ValueError."""
    return pydantic_core.from_json(text)
