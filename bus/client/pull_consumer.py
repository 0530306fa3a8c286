"""Pull consumer: keeps one pull request open; reads the log and serves work queues.

nats-py's own fetch() does not survive a restart of the server, waits for batches that cannot fill, and leaves requests
open that swallow messages.
"""

from collections import deque
from collections.abc import Awaitable, Callable

import anyio
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from pydantic_core import to_json

from hustings.protocols import BusFull, Unanswered, timing

from .connection import Connection
from .jetstream import Arrived


class PullConsumer:
    """Messages of one consumer, in order; for one reading task.

    `open_consumer` creates or finds the consumer and returns its name; it is called at the first use and after every
    break. A break discards messages that arrived but were not taken. `wanted` returns how many more messages to
    request.
    """

    def __init__(
        self,
        connection: Connection,
        stream: str,
        open_consumer: Callable[[], Awaitable[str]],
        wanted: Callable[[], int],
    ) -> None:
        self.ready: deque[Arrived] = deque()
        self._connection = connection
        self._stream = stream
        self._open_consumer = open_consumer
        self._wanted = wanted
        self._consumer = ""
        self._inbox = ""
        self._subscription: Subscription | None = None
        self._asked = 0
        self._failures = 0
        self._broken = True
        self._news = anyio.Event()
        connection.listeners.add(self._on_turn)

    async def next(self) -> Arrived | None:
        """The next message; None at a heartbeat without one, and whenever the consumer was opened again.

        Raises BrokerUnavailable when the connection is closed for good, Denied, or what `open_consumer` raises.
        """
        while True:
            self._news = anyio.Event()
            if self._broken:
                await self._reopen()
                return None
            if self.ready:
                return self.ready.popleft()
            await self._top_up()
            if not await self._hear():
                continue
            if not (self.ready or self._broken):
                return None

    def poke(self) -> None:
        """Check again how many messages are wanted."""
        self._news.set()

    def reopen(self) -> None:
        """Discard what has arrived and open the consumer again."""
        self._broken = True
        self._news.set()

    async def close(self) -> None:
        """End the pull; afterwards `ready` has the messages that arrived but were not taken."""
        self._connection.listeners.discard(self._on_turn)
        if self._subscription:
            await self._connection.unsubscribe(self._subscription, flush=True)
            self._subscription = None

    async def _hear(self) -> bool:
        """Wait for a message or heartbeat; False if there was neither for PULL_SILENCE seconds, with a request open."""
        with anyio.move_on_after(timing.PULL_SILENCE if self._asked else None) as silence:
            await self._news.wait()
        if silence.cancelled_caught and self._connection.connected:
            self._broken = True
        return not silence.cancelled_caught

    async def _reopen(self) -> None:
        if self._failures:
            with anyio.move_on_after(min(0.02 * 2**self._failures, 2.0)):
                await anyio.sleep_forever()
        await self._connection.ready()
        if self._subscription:  # unsubscribing also cancels the open requests
            await self._connection.unsubscribe(self._subscription)
            self._subscription = None
        self.ready.clear()
        self._asked, self._broken = 0, False
        try:
            self._consumer = await self._open_consumer()
            self._inbox = self._connection.new_inbox()
            self._subscription = await self._connection.subscribe(self._inbox, self._on_message)
        except (Unanswered, BusFull):  # on a full disk no consumer can be opened, not even an existing one
            self._failures, self._broken = self._failures + 1, True

    async def _top_up(self) -> None:
        wanted = self._wanted()
        if self._asked >= (wanted + 1) // 2:
            return
        more = wanted - self._asked
        expires, idle_heartbeat = int(timing.PULL_EXPIRES * 1e9), int(timing.PULL_HEARTBEAT * 1e9)
        body = {"batch": more, "expires": expires, "idle_heartbeat": idle_heartbeat}
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._consumer}"
        try:
            await self._connection.publish(subject, to_json(body), reply=self._inbox)
        except Unanswered:
            return
        self._asked += more

    async def _on_message(self, message: Msg) -> None:
        if message.reply.startswith("$JS.ACK."):
            self.ready.append(Arrived.of(message))
            self._asked, self._failures = max(self._asked - 1, 0), 0
        elif message.subject == self._inbox:
            self._on_status(message.headers or {})
        self._news.set()

    def _on_status(self, headers: dict[str, str]) -> None:
        status = headers.get("Status")
        if status in ("404", "408"):
            self._asked = max(self._asked - int(headers.get("Nats-Pending-Messages", self._asked)), 0)
        elif status != "100":  # 409: consumer deleted, leader changed; 503: it is not there
            self._failures += 1
            self._broken = True

    def _on_turn(self) -> None:
        if self._connection.connected:
            self._failures = 0
        self._broken = True
        self._news.set()
