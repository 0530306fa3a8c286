"""Programmes of operations, by seed, that can be run on a real broker and on the model: both must say the same.

What is said of an operation is what our code reads of it: sequences, error codes, what was delivered for the how
manyth time, statuses, how far an inbox is.
"""

import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import anyio
from nats.aio.msg import Msg
from pydantic_core import from_json, to_json

from hustings.bus import Bus

ACK_WAIT = 0.8  # seconds
EXPIRES = 0.1  # of a request for messages
OVER = 0.5  # seconds behind ACK_WAIT in which what is out surely has come again
INBOX = "*.coordinator.task.ann"
PATIENCE = 60.0  # seconds for an answer: a slow machine is no difference between the two
PULLS = 3  # between two such waits, so that nothing comes again in between

Operation = tuple[str, tuple[Any, ...]]
SUBJECTS = (
    "r1.una.goal", "r1.coordinator.event.runacquired", "r1.coordinator.task.ann", "r1.coordinator.task.bob",
    "r1.ann.result.t.1", "r2.coordinator.task.ann", "r2.una.goal",
)  # fmt: skip
FILTERS = ("r1.>", "r1.coordinator.>", "r2.>", "*.coordinator.task.ann", "r1.ann.result.t.1", "r3.>")


def programme(seed: int, length: int = 22) -> list[Operation]:
    """Operations of chance. Words for deliveries name them by their turn; there may be fewer."""
    chance, pulls = random.Random(seed), 0
    made: list[Operation] = []
    for _ in range(length):
        kind = chance.choices(*zip(*_KINDS.items(), strict=True))[0]
        if kind in ("pull", "read") and (pulls := pulls + 1) > PULLS:
            kind, pulls = "wait", 0
        made.append((kind, _arguments(kind, chance)))
    return [*made, ("wait", ()), ("pull", (10,)), ("info", ()), ("read", (0, ">"))]


_KINDS = {
    "publish": 6, "batch": 3, "find": 2, "pull": 5, "word": 7, "wait": 1, "purge": 0.5, "info": 2, "read": 1,
    "erase": 0.5,
}  # fmt: skip


def _arguments(kind: str, chance: random.Random) -> tuple[Any, ...]:
    subject, pattern = chance.choice(SUBJECTS), chance.choice(FILTERS)
    after = chance.choice((None, None, "last", "last", 0, 3))  # no fence, the place that fits, or some other
    match kind:
        case "publish":
            return subject, pattern, after
        case "batch":
            return chance.randint(2, 12), pattern, after, chance.choice(("", "", "", "gap", "between"))
        case "find":
            how = chance.choice(("seq", "last_by_subj", "next_by_subj"))
            return how, chance.randint(1, 20), pattern
        case "pull":
            return (chance.randint(1, 5),)
        case "word":
            return chance.randint(0, 12), chance.choice(("+ACK", "+ACK", "-NAK", "-NAK", "+WPI", "+TERM"))
        case "purge":
            return (chance.choice(("r1.>", "r2.>", "r3.>")),)  # only runs are ever purged
        case "erase":
            return (chance.choice((1000, 2**63)),)  # only what is not there is ever deleted
        case "read":
            return chance.randint(0, 9), pattern
    return ()


@dataclass
class Player:
    """Plays a programme on a bus; `said` is what came of each operation.

    `longest` is the longest time without a wait: it must stay below `ack_wait`, of which a slow machine wants more.
    """

    bus: Bus
    ack_wait: float = ACK_WAIT
    said: list[str] = field(default_factory=list)
    longest: float = 0.0
    _words: list[str] = field(default_factory=list)
    _readers: int = 0
    _purged: bool = False

    async def play(self, operations: list[Operation]) -> list[str]:
        await self._consumer("ann", self.ack_wait, INBOX)
        began = anyio.current_time()
        for kind, arguments in operations:
            act: Callable[..., Coroutine[Any, Any, str]] = getattr(self, f"_{kind}")
            self.said.append(f"{kind}{arguments}: {await act(*arguments)}")
            if kind == "wait":
                began = anyio.current_time()
            self.longest = max(self.longest, anyio.current_time() - began)
        return self.said

    # appending

    async def _publish(self, subject: str, pattern: str, after: object) -> str:
        answer = await self._append(self._subject(subject), await self._fence(pattern, after))
        return _stored(answer)

    async def _batch(self, size: int, pattern: str, after: object, how: str) -> str:
        headers = await self._fence(pattern, after)
        batch = self.bus.connection.new_inbox().replace(".", "-")
        for number in range(1, size):
            begun = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
            subject = self._subject(SUBJECTS[number % len(SUBJECTS)])
            await self.bus.connection.publish(
                subject, b"b%d" % number, headers=begun | (headers if number == 1 else {})
            )
        if how == "between":
            await self._append(self._subject("r1.coordinator.task.bob"), {})
        commit = {"Nats-Batch-Id": batch, "Nats-Batch-Commit": "1"}
        commit["Nats-Batch-Sequence"] = str(size + (how == "gap"))
        return _stored(await self._append(self._subject("r1.coordinator.task.ann"), commit))

    async def _fence(self, pattern: str, after: object) -> dict[str, str]:
        if after is None:
            return {}
        if after == "last":
            found = await self._api("STREAM.MSG.GET", {"last_by_subj": self._subject(pattern)})
            after = found.get("message", {}).get("seq", 0)
        name = "Nats-Expected-Last-Subject-Sequence"
        return {name: str(after), f"{name}-Subject": self._subject(pattern)}

    async def _append(self, subject: str, headers: dict[str, str]) -> dict[str, Any]:
        answer = await self.bus.connection.request(subject, b"one", headers=headers, timeout=PATIENCE)
        return dict(from_json(answer.data))

    # reading

    async def _find(self, how: str, seq: int, pattern: str) -> str:
        where: dict[str, Any] = {"last_by_subj": self._subject(pattern)}
        if how != "last_by_subj":
            where = {"seq": seq} | ({how: self._subject(pattern)} if how == "next_by_subj" else {})
        found = await self._api("STREAM.MSG.GET", where)
        message = found.get("message", {})
        return f"{message.get('seq')} {message.get('data')} {_code(found)}"

    async def _read(self, after: int, pattern: str) -> str:
        self._readers += 1
        name = f"reader{self._readers}"
        await self._consumer(name, 0, pattern, after)
        read = await self._messages(name, 100)
        deleted = await self._api("CONSUMER.DELETE", {}, name)
        return f"{[message for message, _ in read]} {deleted.get('success')}"

    async def _purge(self, pattern: str) -> str:
        purged = (await self._api("STREAM.PURGE", {"filter": self._subject(pattern)}))["purged"]
        self._purged = self._purged or purged > 0
        return str(purged)

    async def _erase(self, seq: int) -> str:
        return _code(await self._api("STREAM.MSG.DELETE", {"seq": seq, "no_erase": True}))

    # an inbox

    async def _pull(self, batch: int) -> str:
        got = await self._messages("ann", batch)
        self._words += [reply for _, reply in got if reply]
        return str([message for message, _ in got])

    async def _word(self, which: int, word: str) -> str:
        if which < len(self._words):
            await self.bus.connection.publish(self._words[-which - 1], word.encode())
            await self.bus.connection.flush()
        return await self._info()

    async def _info(self) -> str:
        """How far the inbox is: the first of its messages behind the floor, how many are out and how many unseen.

        The server notices that something was purged at leisure, so then the two counts are not compared.
        """
        await anyio.sleep(0.01)  # the server takes words in on the side
        info = await self._api("CONSUMER.INFO", {}, "ann")
        where = {"seq": info["ack_floor"]["stream_seq"] + 1, "next_by_subj": self._subject(INBOX)}
        behind = (await self._api("STREAM.MSG.GET", where)).get("message", {}).get("seq")
        counts = "" if self._purged else f"out {info['num_ack_pending']} unseen {info['num_pending']}"
        return f"settled before {behind} {counts}"

    async def _wait(self) -> str:
        await anyio.sleep(self.ack_wait + OVER)
        return ""

    async def _messages(self, consumer: str, batch: int) -> list[tuple[str, str]]:
        """What one request brings: as many messages, or fewer and a status."""
        inbox = self.bus.connection.new_inbox()
        got: list[tuple[str, str]] = []
        async with self.bus.connection.listen(inbox) as messages:
            body = {"batch": batch, "expires": int(EXPIRES * 1e9), "idle_heartbeat": int(EXPIRES * 4e8)}
            verb = f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{consumer}"
            await self.bus.connection.publish(verb, to_json(body), reply=inbox)
            with anyio.fail_after(PATIENCE):
                while len(got) < batch and not (got and not got[-1][1]):
                    got += _heard(await messages.receive())
        return got

    async def _consumer(self, name: str, wait: float, pattern: str, after: int = 0) -> None:
        config: dict[str, Any] = {"filter_subject": self._subject(pattern), "max_deliver": -1, "max_ack_pending": -1}
        if wait:
            config |= {"durable_name": name, "ack_policy": "explicit", "ack_wait": int(wait * 1e9)}
        else:
            config |= {"name": name, "ack_policy": "none", "deliver_policy": "by_start_sequence"}
            config |= {"opt_start_seq": after + 1, "mem_storage": True}
            del config["max_ack_pending"]
        body = {"stream_name": self._stream, "action": "create", "config": config}
        await self._api("CONSUMER.CREATE", body, f"{name}.{config['filter_subject']}")

    async def _api(self, verb: str, body: dict[str, Any], rest: str = "") -> dict[str, Any]:
        subject = ".".join(filter(None, ("$JS.API", verb, self._stream, rest)))
        return dict(from_json((await self.bus.connection.request(subject, to_json(body), timeout=PATIENCE)).data))

    @property
    def _stream(self) -> str:
        return f"LOG_{self.bus.team}"

    def _subject(self, rest: str) -> str:
        return f"hustings.{self.bus.team}.run.{rest}"


def _heard(message: Msg) -> list[tuple[str, str]]:
    """A delivery, with its reply subject; or a status that ends the request, with none."""
    status = (message.headers or {}).get("Status")
    if status == "100":
        return []
    if status:
        with suppress(KeyError):
            return [(f"{status} {(message.headers or {})['Nats-Pending-Messages']} left", "")]
        return [(status, "")]
    times, seq, order = message.reply.split(".")[4:7]
    subject = message.subject.split(".", 3)[3]
    return [(f"{seq} {subject} {message.data.decode()} times {times} order {order}", message.reply)]


def _stored(answer: dict[str, Any]) -> str:
    return f"seq {answer.get('seq')} count {answer.get('count')} {_code(answer)}"


def _code(answer: dict[str, Any]) -> str:
    return f"error {answer['error']['err_code']}" if "error" in answer else ""
