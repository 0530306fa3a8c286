"""Record: what an agent has said of a task before, as the log has it. What was paid for is not asked again."""

from collections import Counter
from collections.abc import Iterable

from anyio import Lock

from moot.bus import Bus
from moot.protocols import (
    Amount,
    BudgetExceeded,
    Called,
    Entry,
    Miss,
    ModelReply,
    Share,
    Spent,
    StaleWriter,
    ToolResult,
    sealed,
)


class Record:
    """What one agent has said of one attempt, and of the task's earlier attempts that it never answered.

    Read from the log when it is first needed. `live` is False in a replay: then nothing is ever added to it.
    """

    def __init__(self, bus: Bus, *, run: str, agent: str, task: str, attempt: int, share: Share) -> None:
        self.live = True
        self._bus = bus
        self._run, self._agent, self._task, self._attempt = run, agent, task, attempt
        self._share = share
        self._spent = Amount()
        self._position = -1  # of the last word about the attempt's money; -1: not looked up yet
        self._calls: dict[str, dict[int, Called]] = {}
        self._asked: Counter[str] = Counter()
        self._turn = Lock()

    @classmethod
    def of(cls, bus: Bus, entries: Iterable[Entry], *, agent: str, task: str, attempt: int) -> "Record":
        """The record of an attempt that is over, for a replay: a call that it does not have is a Miss."""
        record = cls(bus, run="", agent=agent, task=task, attempt=attempt, share=Share())
        record.live = False
        record._read(
            entry
            for entry in entries
            if entry.subject.author == agent and len(entry.subject.rest) > 1 and entry.subject.rest[0] == task
        )
        return record

    # calls

    async def recall(self, digest: str, what: str) -> tuple[str, Called | None]:
        """The place of the next call with this digest, and the call if it was made before.

        Equal requests are told apart by their order. `what` is the call in words. Raises Miss: it is not there in a
        replay, or what is there is not what was recorded.
        """
        await self._look_up()
        self._asked[digest] += 1
        ordinal = self._asked[digest]
        place = f"{digest[:16]}-{ordinal}"
        call = self._calls.get(digest, {}).get(ordinal)
        if call is None and not self.live:
            known = ", ".join(sorted(each.call for calls in self._calls.values() for each in calls.values()))
            raise Miss(f"{self._task} has no answer on record to {what} ({place})", f"on record are {known or 'none'}")
        if call and call.answer and sealed(call.answer) != call.digest:
            raise Miss(f"the record of {self._task} has another answer to {what} ({place})", "it was changed since")
        return place, call

    async def add(self, call: Called) -> ModelReply | ToolResult | None:
        """Have a call on the log; the answer that stands: another process may have been quicker with its own."""
        first = await self._bus.log.called(self._run, call, source=self._agent)
        async with self._turn:
            if first:
                self._spent = self._spent.plus(call.spent).minus(call.reserved)
                return call.answer
            self._position = -1
        await self._look_up()
        kept = self._calls.get(call.request, {}).get(_ordinal(call))
        return kept.answer if kept else call.answer

    # money

    async def reserve(self, amount: Amount) -> None:
        """Take an amount of the attempt's share, on the log. Raises BudgetExceeded, and then nothing was taken."""
        if not self.live:
            return
        event = Spent(task=self._task, attempt=self._attempt, agent=self._agent, amount=amount)
        async with self._turn:
            while True:
                await self._ensure()
                if kind := self._spent.plus(amount).beyond(self._share):
                    raise BudgetExceeded(
                        f"{self._task} may spend {getattr(self._share, kind):g} {kind}",
                        f"{getattr(self._spent, kind):g} are spent, and it wants {getattr(amount, kind):g} more",
                    )
                try:
                    seq = await self._bus.log.spend(self._run, event, after=self._position, source=self._agent)
                except StaleWriter:  # another process works on this attempt as well
                    self._position = -1
                    continue
                self._position, self._spent = seq, self._spent.plus(amount)
                return

    async def left(self) -> Share:
        """What the attempt may still spend."""
        if not self.live:
            return self._share
        async with self._turn:
            await self._ensure()
            return self._share.less(self._spent)

    # the log

    async def _look_up(self) -> None:
        async with self._turn:
            await self._ensure(money=False)

    async def _ensure(self, *, money: bool = True) -> None:
        if self._position < 0 and self.live:
            self._read(await self._bus.log.work(self._run, self._agent, self._task))
        if money and self._position < 0:
            raise BudgetExceeded(f"{self._task} has been answered", "by another process, so nothing is left to spend")

    def _read(self, said: Iterable[Entry]) -> None:
        """Take in what was said. Of calls that two attempts made, the attempt's own stand."""
        mine, entries = str(self._attempt), list(said)
        answered = {entry.subject.rest[1] for entry in entries if entry.subject.kind == "result"}
        self._spent, self._calls, self._position = Amount(), {}, 0
        for entry in sorted(entries, key=lambda entry: entry.subject.rest[1] == mine):
            of = entry.subject.rest[1]
            if of == mine:
                self._count(entry)
            if isinstance(call := entry.event, Called) and call.answer and (of == mine or of not in answered):
                self._calls.setdefault(call.request, {})[_ordinal(call)] = call
        if mine in answered:
            self._position = -1

    def _count(self, entry: Entry) -> None:
        match entry.event:
            case Spent(amount=amount):
                self._spent = self._spent.plus(amount)
            case Called(spent=spent, reserved=reserved):
                self._spent = self._spent.plus(spent).minus(reserved)
        if len(entry.subject.rest) == 2:  # a reservation or the answer: what the next reservation must know of
            self._position = entry.seq


def _ordinal(call: Called) -> int:
    """Which of the attempt's equal requests it was."""
    ordinal = call.call.rpartition("-")[2]
    return int(ordinal) if ordinal.isdecimal() else 0
