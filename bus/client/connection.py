"""Connection: nats-py, made safe. Once connected it reconnects forever, and every call has a timeout."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import count
from time import time
from typing import NamedTuple
from urllib.parse import urlsplit

import anyio
import anyio.lowlevel
import nats.errors
from anyio.streams.memory import MemoryObjectReceiveStream
from nats.aio.client import Client, Srv
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from hustings.protocols import BrokerUnavailable, BrokerUnfit, BusError, Denied, Unanswered, timing

from .contact import Contact, contacts
from .refusal import explain, hopeless

OLDEST_SERVER = (2, 12)
_INBOX = re.compile(r"_INBOX(\.[^.*>\s]+)+")  # a reply subject, without wildcards
_DENIED = re.compile(r'permissions violation for (publish|subscription) to "([^"]+)"', re.IGNORECASE)


class NobodyThere(Unanswered):
    """Nobody listens on this subject. For JetStream: there is no such stream, or it is electing a leader."""


class _Call(NamedTuple):
    subject: str
    reply: asyncio.Future[Msg]

    def fail(self, error: BusError) -> None:
        if not self.reply.done():
            self.reply.set_exception(error)


@asynccontextmanager
async def connect(url: str, *, name: str) -> AsyncIterator["Connection"]:
    """Connect, then keep the connection and reconnect whenever it breaks.

    An address that refuses is tried for `timing.FIRST_CONNECT` seconds; a server that accepts has `timing.HANDSHAKE`
    seconds to answer.

    `url` may list several servers of a cluster, separated by commas. A server without credentials, also one that the
    cluster announces later, gets the first credentials in the list. Raises BadCredentials, BrokerUnavailable (invalid
    URL, no answer, no such host, TLS not trusted) or BrokerUnfit (older than 2.12, or JetStream off). No error text
    contains the credentials of the URL.
    """
    connection = Connection(url)
    try:
        await connection._open(name)
        yield connection
    finally:
        await connection._close()


class _Client(Client):
    """nats-py's client. It gets addresses and credentials separately, so that no text of nats-py can contain both.

    It also survives the answer to a ping that timed out, which would end nats-py's read loop for good.
    """

    def __init__(self, servers: Sequence[Contact]) -> None:
        super().__init__()
        self._closing = False
        self._told = {urlsplit(server.address).netloc: server for server in servers if _secret(server)}
        self._auth_configured = bool(self._told)

    async def close(self) -> None:
        self._closing = True
        await super().close()

    async def _connect_to_server(self, s: Srv) -> None:
        """nats-py's loop of reconnecting can lose its cancellation, and then takes a closed client for a broken one."""
        if self._closing:
            raise asyncio.CancelledError
        await super()._connect_to_server(s)

    def _connect_command(self) -> bytes:
        if self._told and self._current_server:
            to = self._told.get(self._current_server.uri.netloc) or next(iter(self._told.values()))
            self.options |= {"user": to.user, "password": to.password, "token": to.token}
        return super()._connect_command()

    async def _process_pong(self) -> None:
        if self._pongs and self._pongs[0].done():
            self._pongs[0] = asyncio.get_running_loop().create_future()
        await super()._process_pong()


def _secret(server: Contact) -> bool:
    return server.user is not None or server.token is not None


class Connection:
    """One connection to the broker, for any number of tasks."""

    def __init__(self, url: str) -> None:
        self._servers = contacts(url)
        self.shown = ",".join(server.shown for server in self._servers)
        self.connected = False
        self.since = 0.0  # when the connection was last established, in seconds since the epoch
        self.dead = False  # closed for good: by the server, or at the end of the block
        self.listeners: set[Callable[[], None]] = set()  # called whenever `connected` or `dead` changes
        self._client = _Client(self._servers)
        self._changed = asyncio.Event()
        self._calls: dict[str, _Call] = {}
        self._tokens = count()
        self._inbox = ""
        self._denied: set[tuple[str, str]] = set()
        self._refused: list[Exception] = []
        self._opening = False

    async def publish(
        self, subject: str, data: bytes = b"", *, reply: str = "", headers: dict[str, str] | None = None
    ) -> None:
        """Send without waiting. Raises Denied (of an earlier message on the subject), BrokerUnavailable, Unanswered."""
        self._check(("publish", subject))
        try:
            await self._client.publish(subject, data, reply=reply, headers=headers)
        except nats.errors.OutboundBufferLimitError:
            raise Unanswered(
                f"nothing was sent to {subject}", "the broker is unreachable and the buffer is full"
            ) from None
        except (nats.errors.ConnectionClosedError, nats.errors.ConnectionDrainingError):
            raise self._unavailable() from None
        except nats.errors.MaxPayloadError:
            raise BusError(f"a message to {subject} is too large", f"{len(data)} bytes") from None

    async def reply(self, message: Msg, data: bytes) -> bool:
        """Answer a request. False, and nothing is sent, if its reply subject is not below `_INBOX.`.

        The broker does not check reply subjects, so a requester could make us write where it may not write itself.
        Raises as `publish`.
        """
        fit = _INBOX.fullmatch(message.reply) is not None
        if fit:
            await self.publish(message.reply, data)
        return fit or not message.reply

    async def request(
        self, subject: str, data: bytes = b"", *, headers: dict[str, str] | None = None, timeout: float = timing.ANSWER
    ) -> Msg:
        """Send and wait for the answer.

        Raises Unanswered (no answer in time, or the connection broke meanwhile), NobodyThere, Denied, BrokerUnavailable
        (the connection is closed for good).
        """
        token = str(next(self._tokens))
        call = _Call(subject, asyncio.get_running_loop().create_future())
        with anyio.move_on_after(timeout):
            await self.ready()
            self._calls[token] = call
            try:
                await self.publish(subject, data, reply=self._inbox + token, headers=headers)
                answer = await call.reply
            finally:
                del self._calls[token]
            if answer.headers and answer.headers.get("Status") == "503":
                raise NobodyThere("nobody answers", subject)
            return answer
        raise Unanswered("the broker did not answer", f"{subject} within {timeout:g} s")

    async def subscribe(
        self, subject: str, handle: Callable[[Msg], Awaitable[None]], *, queue: str = ""
    ) -> Subscription:
        """Call `handle` with each message on the subject. Does not wait for the server; `listen` does."""
        self._check(("subscription", subject))
        try:
            return await self._client.subscribe(
                subject, queue=queue, cb=handle, pending_msgs_limit=0, pending_bytes_limit=0
            )
        except (nats.errors.ConnectionClosedError, nats.errors.ConnectionDrainingError):
            raise self._unavailable() from None

    async def unsubscribe(self, subscription: Subscription, *, flush: bool = False) -> None:
        """End a subscription; with `flush` only after all messages already sent were handled. Never raises."""
        with anyio.move_on_after(1, shield=True):
            with suppress(nats.errors.Error, OSError):  # the connection is closed, and the subscription with it
                if flush and self.connected:
                    await subscription.drain()  # type: ignore[no-untyped-call]
                else:
                    await subscription.unsubscribe()

    @asynccontextmanager
    async def listen(self, *subjects: str) -> AsyncIterator[MemoryObjectReceiveStream[Msg]]:
        """Messages on core subjects, subscribed when the block begins. Buffers 10,000; when full, new ones are dropped.

        The stream ends when the connection is closed for good. Raises Denied.
        """
        into, out_of = anyio.create_memory_object_stream[Msg](10_000)

        async def hear(message: Msg) -> None:
            with suppress(anyio.WouldBlock, anyio.BrokenResourceError, anyio.ClosedResourceError):
                into.send_nowait(message)

        def end() -> None:
            if self.dead:
                into.close()

        self.listeners.add(end)
        async with AsyncExitStack() as stack:
            stack.enter_context(out_of)
            stack.enter_context(into)
            stack.callback(self.listeners.discard, end)
            for subject in subjects:
                stack.push_async_callback(self.unsubscribe, await self.subscribe(subject, hear))
            await self.flush()
            for subject in subjects:
                self._check(("subscription", subject))
            yield out_of

    def new_inbox(self) -> str:
        """A unique reply subject."""
        return self._client.new_inbox()

    async def flush(self, timeout: float = timing.ANSWER) -> None:
        """Wait until the server has processed all that was sent. Raises Unanswered, BrokerUnavailable."""
        with anyio.move_on_after(timeout):
            await self.ready()
            await anyio.lowlevel.checkpoint()
            while self._client.pending_data_size:  # noqa: ASYNC110 - nats-py sends PING ahead of its pending data
                await anyio.sleep(0.001)
            try:
                await self._client.flush(10)
            except nats.errors.ConnectionClosedError:
                raise self._unavailable() from None
            return
        raise Unanswered("the broker did not answer", f"a ping within {timeout:g} s")

    async def ready(self) -> None:
        """Wait until connected. Raises BrokerUnavailable if the connection is closed for good."""
        while not self.connected:
            if self.dead:
                raise self._unavailable()
            await self._changed.wait()

    async def lost(self, for_seconds: float) -> None:
        """Return once the broker was away for that long without a break, or the connection is closed for good."""
        while not self.dead:
            while self.connected:
                await self._changed.wait()
            with anyio.move_on_after(for_seconds) as wait:
                while not (self.connected or self.dead):
                    await self._changed.wait()
            if wait.cancelled_caught and not self.connected:
                return

    # the first connect

    async def _open(self, name: str) -> None:
        end = anyio.current_time() + timing.FIRST_CONNECT
        while not await self._try(name):
            if any(hopeless(error) for error in self._refused) or anyio.current_time() > end:
                break
            await anyio.sleep(0.05)
        if not self._client.is_connected:
            raise explain(self.shown, self._refused)
        self._turn(connected=True)
        self._inbox = self._client.new_inbox() + "."
        await self.subscribe(self._inbox + "*", self._answer)
        await self._examine()

    async def _try(self, name: str) -> bool:
        """One attempt with a new client. nats-py itself would retry forever, even if a retry cannot help."""
        self._client, self._opening = _Client(self._servers), True
        try:
            await self._client.connect(
                [server.address for server in self._servers],
                name=name,
                error_cb=self._on_error,
                disconnected_cb=self._on_disconnected,
                reconnected_cb=self._on_reconnected,
                closed_cb=self._on_closed,
                max_reconnect_attempts=-1,
                reconnect_time_wait=0.1,  # type: ignore[arg-type]  # annotated int, used as a number of seconds
                connect_timeout=timing.HANDSHAKE,
                ping_interval=5,
                max_outstanding_pings=2,
            )
        except (
            OSError,
            ValueError,
            ImportError,
            nats.errors.Error,
        ) as error:  # ImportError: the library for ws is missing
            self._refused.append(error)
        finally:
            self._opening = False
            if not self._client.is_connected:
                await self._shut()
        return self._client.is_connected

    async def _examine(self) -> None:
        version = self._client.connected_server_version
        if (version.major, version.minor) < OLDEST_SERVER:
            raise BrokerUnfit(f"{self.shown} is too old", f"{version!r}")
        try:
            answer = await self.request("$JS.API.INFO", timeout=0.4)
        except NobodyThere:
            raise BrokerUnfit(f"{self.shown} has JetStream off", "no answer on $JS.API.INFO") from None
        except (Denied, Unanswered):
            return  # no permission to ask, or the server is busy: the first use of JetStream will tell
        if b'"err_code":10039' in answer.data:
            raise BrokerUnfit(f"{self.shown} has JetStream off", "it is not enabled for this account")

    async def _close(self) -> None:
        self._turn(connected=False, dead=True)
        await self._shut()

    async def _shut(self) -> None:
        if self._client.options:  # else it never began to connect, and close() would fail
            # uvloop raises RuntimeError if the transport is closed already
            with anyio.move_on_after(0.4, shield=True), suppress(OSError, RuntimeError, nats.errors.Error):
                await self._client.close()

    # callbacks of nats-py

    async def _answer(self, message: Msg) -> None:
        call = self._calls.get(message.subject.rpartition(".")[2])
        if call and not call.reply.done():
            call.reply.set_result(message)

    async def _on_error(self, error: Exception) -> None:
        if denied := _DENIED.search(str(error)):
            self._deny(denied[1].lower(), denied[2].lower())
        elif self._opening:
            raise error  # ends the attempt to connect for the first time

    def _deny(self, verb: str, subject: str) -> None:
        calls = [call for call in self._calls.values() if verb == "publish" and call.subject.lower() == subject]
        for call in calls:
            call.fail(Denied(f"not allowed to publish to {call.subject}"))
        if not calls:
            self._denied.add((verb, subject))

    async def _on_disconnected(self) -> None:
        if self._client.is_closed:
            return  # for good: _on_closed handles it
        self._turn(connected=False)
        for call in self._calls.values():
            call.fail(Unanswered("the connection broke", call.subject))

    async def _on_reconnected(self) -> None:
        self._turn(connected=True)

    async def _on_closed(self) -> None:
        if not self._inbox:
            return
        self._turn(connected=False, dead=True)
        for call in self._calls.values():
            call.fail(self._unavailable())

    def _turn(self, *, connected: bool, dead: bool = False) -> None:
        self.connected, self.dead = connected, self.dead or dead
        self.since = time() if connected else self.since
        self._changed.set()
        self._changed = asyncio.Event()
        for listener in tuple(self.listeners):
            listener()

    def _check(self, act: tuple[str, str]) -> None:
        """Raise Denied if the broker rejected an earlier publish or subscribe on this subject."""
        key = act[0], act[1].lower()
        if key in self._denied:
            self._denied.discard(key)
            raise Denied(f"not allowed: {act[0]} to {act[1]}")

    def _unavailable(self) -> BrokerUnavailable:
        why = str(self._client.last_error or "it was closed")
        return BrokerUnavailable(f"the connection to {self.shown} is closed", why)
