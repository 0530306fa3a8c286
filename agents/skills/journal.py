"""Journal: what an agent has already recorded on the log for a task. A call that was paid for is not made again."""

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import aclosing

from anyio import Lock

from hustings.bus import Bus
from hustings.protocols import (
    Amount,
    Answered,
    Asked,
    AskFailed,
    BudgetExceeded,
    BudgetShare,
    Called,
    Entry,
    ModelReply,
    ModelRequest,
    Part,
    Piece,
    Prompt,
    ReplayMismatch,
    Spent,
    StaleWriter,
    ToolResult,
)
from hustings.protocols.models import sealed
from hustings.protocols.prompts import parts_of, pieces_of


class Journal:
    """The calls, asks and spending of one agent in one attempt, and in earlier attempts that got no answer.

    It is read from the log when first needed. `live` is False in a replay: then nothing is ever added.
    """

    def __init__(self, bus: Bus, *, run: str, agent: str, task: str, attempt: int, share: BudgetShare) -> None:
        self.live = True
        self._bus = bus
        self._run, self._agent, self._task, self._attempt = run, agent, task, attempt
        self._share = share
        self._spent = Amount()
        self._position = -1  # of the last entry about the attempt's money; -1: not read yet
        self._calls: dict[str, dict[int, Called]] = {}
        self._asked_before: dict[str, Called] = {}  # the calls of models whose requests are on record, by digest
        self._results: set[str] = set()  # the digests of what tools answered
        self._replies: dict[str, Answered] = {}
        self._asked: Counter[str] = Counter()
        self._turn = Lock()

    @classmethod
    def of(cls, bus: Bus, entries: Iterable[Entry], *, agent: str, task: str, attempt: int) -> "Journal":
        """The journal of a finished attempt, for a replay: a call that is not in it raises ReplayMismatch."""
        journal = cls(bus, run="", agent=agent, task=task, attempt=attempt, share=BudgetShare())
        journal.live = False
        said = [*entries]
        journal._read(
            entry
            for entry in said
            if entry.subject.author == agent and len(entry.subject.rest) > 1 and entry.subject.rest[0] == task
        )
        journal._replies = {entry.event.child: entry.event for entry in said if isinstance(entry.event, Answered)}
        return journal

    # calls

    async def recall(self, digest: str, what: str) -> tuple[str, Called | None]:
        """The place of the next call with this digest, and the call if it was made before.

        Equal requests are told apart by their order. `what` is the call in words. Raises ReplayMismatch: in a replay it
        is missing, or its digest is not the recorded one.
        """
        await self._look_up()
        self._asked[digest] += 1
        ordinal = self._asked[digest]
        place = f"{digest[:16]}-{ordinal}"
        call = self._calls.get(digest, {}).get(ordinal)
        if call is None and not self.live:
            known = ", ".join(sorted(each.call for calls in self._calls.values() for each in calls.values()))
            raise ReplayMismatch(
                f"{self._task} has no answer on record to {what} ({place})", f"on record are {known or 'none'}"
            )
        if call and call.answer and sealed(call.answer) != call.digest:
            raise ReplayMismatch(
                f"the record of {self._task} has another answer to {what} ({place})", "the log was changed since"
            )
        return place, call

    async def add(self, call: Called) -> ModelReply | ToolResult | None:
        """Record a call; gives the answer that counts: another process may have recorded its own first."""
        async with self._turn:  # nobody may read the log in between, or the call would be counted twice
            if await self._bus.log.called(self._run, call, source=self._agent):
                self._spent = self._spent.plus(call.spent).minus(call.reserved)
                self._recorded(call)
                return call.answer
            self._position = -1
        await self._look_up()
        kept = self._calls.get(call.request, {}).get(_ordinal(call))
        return kept.answer if kept else call.answer

    def prompt(self, request: ModelRequest) -> Prompt:
        """What a request adds to what is on record: one that goes on from an earlier one adds only its last turn."""
        before = self._asked_before.get(request.model_copy(update={"turns": request.turns[:-2]}).digest)
        answer = before.answer if before else None
        if before is None or not isinstance(answer, ModelReply) or answer.parts != request.turns[-2].parts:
            return Prompt(pieces=tuple(pieces_of(request)))
        last = request.turns[-1]
        pieces = [self._piece(part, piece) for part, piece in zip(last.parts, parts_of(last), strict=True)]
        return Prompt(after=before.request, said=before.digest, pieces=tuple(pieces))

    def _piece(self, part: Part, piece: Piece) -> Piece:
        known = isinstance(part, ToolResult) and (digest := sealed(part)) in self._results
        return Piece(kind="result", digest=digest) if known else piece

    def _recorded(self, call: Called) -> None:
        if isinstance(call.answer, ToolResult):
            self._results.add(call.digest)
        elif call.answer and call.asked:
            self._asked_before[call.request] = call

    # asks to other agents

    async def reply(self, asked: Asked) -> Answered:
        """The answer to an ask, which is recorded first. Raises ReplayMismatch: a replay finds no answer."""
        if not self.live and asked.child not in self._replies:
            raise ReplayMismatch(f"{self._task} has no answer on record to what it asks of {asked.skill} ({asked.ask})")
        if not self.live:
            return self._replies[asked.child]
        given = await self._give()
        event = asked.model_copy(update={"share": None if given == BudgetShare() else given})
        if not await self._bus.log.ask_for(self._run, event, source=self._agent):
            await self.reserve(Amount().minus(_amount(given)))  # the ask that was recorded first counts
        async with aclosing(self._bus.log.answers_to(self._run)) as answers:
            async for answered in answers:
                if answered.child == asked.child:
                    return answered
        raise AskFailed(f"{asked.skill} was asked, and there is no answer", "the log ended")

    # money

    async def reserve(self, amount: Amount) -> None:
        """Reserve an amount of the attempt's share, on the log. Raises BudgetExceeded, with nothing reserved."""
        if self.live:
            await self._reserve(lambda _: amount)

    async def _give(self) -> BudgetShare:
        """Reserve half of what is left, for another agent's task; None where there is no limit."""
        if self._share == BudgetShare():
            return self._share
        half = await self._reserve(_half)
        return BudgetShare.of({kind: None if limit is None else getattr(half, kind) for kind, limit in self._share})

    async def _reserve(self, wanted: Callable[[BudgetShare], Amount]) -> Amount:
        """Reserve the wanted part of what is left."""
        async with self._turn:
            while True:
                await self._ensure()
                amount = wanted(self._share.less(self._spent))
                if kind := self._spent.plus(amount).beyond(self._share):
                    raise BudgetExceeded(
                        f"{self._task} may spend {getattr(self._share, kind):g} {kind}",
                        f"{getattr(self._spent, kind):g} are spent, and it needs {getattr(amount, kind):g} more",
                    )
                event = Spent(task=self._task, attempt=self._attempt, agent=self._agent, amount=amount)
                try:
                    seq = await self._bus.log.spend(self._run, event, after=self._position, source=self._agent)
                except StaleWriter:  # another process works on this attempt too
                    self._position = -1
                    continue
                self._position, self._spent = seq, self._spent.plus(amount)
                return amount

    async def left(self) -> BudgetShare:
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
        """Take in an entry. If two attempts made the same call, the attempt's own counts."""
        mine, entries = str(self._attempt), list(said)
        answered = {entry.subject.rest[1] for entry in entries if entry.subject.kind == "result"}
        self._spent, self._calls, self._position = Amount(), {}, 0
        self._asked_before, self._results = {}, set()
        for entry in sorted(entries, key=lambda entry: entry.subject.rest[1] == mine):
            of = entry.subject.rest[1]
            if of == mine:
                self._count(entry)
            if isinstance(call := entry.event, Called) and call.answer and (of == mine or of not in answered):
                self._calls.setdefault(call.request, {})[_ordinal(call)] = call
                self._recorded(call)
        if mine in answered:
            self._position = -1

    def _count(self, entry: Entry) -> None:
        match entry.event:
            case Spent(amount=amount):
                self._spent = self._spent.plus(amount)
            case Called(spent=spent, reserved=reserved):
                self._spent = self._spent.plus(spent).minus(reserved)
        if len(entry.subject.rest) == 2:  # a reservation or the answer: the next reservation must know of it
            self._position = entry.seq


def _amount(share: BudgetShare) -> Amount:
    return Amount(calls=share.calls or 0, tokens=share.tokens or 0, money=share.money or 0.0)


def _half(left: BudgetShare) -> Amount:
    return Amount(calls=(left.calls or 0) // 2, tokens=(left.tokens or 0) // 2, money=(left.money or 0.0) / 2)


def _ordinal(call: Called) -> int:
    """The number of the call among the attempt's equal requests."""
    ordinal = call.call.rpartition("-")[2]
    return int(ordinal) if ordinal.isdecimal() else 0
