"""Agent registry: which agents are alive, by their heartbeats. It gives the decider its Directory."""

import time
from collections.abc import Callable
from contextlib import suppress

import anyio
from anyio.abc import TaskStatus

from hustings.bus import Bus
from hustings.protocols import AgentCard, Denied, Directory, Heartbeat, Unanswered, timing


class AgentRegistry:
    """Follows the heartbeats of a team; an agent that misses three of them is gone.

    `instance` is the process that owns this registry. While it does not receive its own heartbeats, the connection is
    the problem and no agent counts as gone. `changed` is called when an agent comes, goes or changes its card.
    """

    def __init__(self, bus: Bus, instance: str) -> None:
        self.bus = bus
        self._instance = instance
        self._echo = time.monotonic()
        self._deaf = False
        self.changed: set[Callable[[], None]] = set()
        self._cards: dict[str, AgentCard] = {}
        self._digests: dict[str, str] = {}
        self._seen: dict[tuple[str, str], tuple[float, Heartbeat]] = {}
        self._silent: dict[str, float] = {}
        self._settled: dict[str, int] = {}
        self._seconds: dict[str, float] = {}
        self._last = Directory()

    async def keep(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Follow the heartbeats until cancelled. Started once all agents that are present are known."""
        async with self.bus.live.heartbeats() as heartbeats, anyio.create_task_group() as watching:
            for present in await self.bus.live.roll_call():
                await self._learn(present.name)
            watching.start_soon(self._notice_silence)
            watching.start_soon(self._look_into_work_queues)
            task_status.started()
            async for heartbeat in heartbeats:
                await self._heard(heartbeat)

    def present(self) -> list[Heartbeat]:
        """The last heartbeat of each process that is alive."""
        return [heartbeat for _, heartbeat in self._seen.values()]

    def silence(self, agent: str, instance: str) -> float | None:
        """Seconds since the last heartbeat of a process; None if it was never heard, has left, or is gone."""
        seen = self._seen.get((agent, instance))
        if self._deaf and seen:
            return 0.0
        return time.monotonic() - seen[0] if seen else None

    def cards(self) -> list[AgentCard]:
        return [self._cards[name] for name in sorted(self._cards)]

    def directory(self) -> Directory:
        """The current directory: known agents, agents that are alive, and the usual seconds of their skills."""
        return self._last

    def took(self, skill: str, seconds: float) -> None:
        """A task of this skill took so long: adjust the usual seconds slowly."""
        self._seconds[skill] = 0.7 * self._seconds.get(skill, seconds) + 0.3 * seconds
        self._last = self._last.model_copy(update={"typical": dict(self._seconds)})

    async def _heard(self, heartbeat: Heartbeat) -> None:
        who = (heartbeat.agent, heartbeat.instance)
        if heartbeat.instance == self._instance:
            self._hear_again()
        if heartbeat.leaving:
            self._remove(who)
        else:
            self._seen[who] = (time.monotonic(), heartbeat)
            self._silent.pop(heartbeat.agent, None)
            if self._digests.get(heartbeat.agent) != heartbeat.card:
                await self._learn(heartbeat.agent, heartbeat.card)
        self._refresh()

    def _hear_again(self) -> None:
        """The connection works again: after the gap give every agent the full time to be heard."""
        self._echo = now = time.monotonic()
        if self._deaf:
            self._deaf = False
            self._seen = {who: (now, heartbeat) for who, (_, heartbeat) in self._seen.items()}

    async def _learn(self, agent: str, digest: str = "") -> None:
        card = await self.bus.live.card(agent)
        if card is not None:
            self._cards[agent], self._digests[agent] = card, digest
            self._refresh()

    async def _notice_silence(self) -> None:
        while True:
            await anyio.sleep(timing.SILENCE_CHECK)
            now = time.monotonic()
            self._deaf = self._deaf or now - self._echo > timing.OWN_SILENCE
            if self._deaf:
                continue
            for who in [who for who, (seen, _) in self._seen.items() if now - seen > timing.AGENT_SILENCE]:
                self._remove(who)
            self._refresh()

    def _remove(self, who: tuple[str, str]) -> None:
        seen = self._seen.pop(who, None)
        if seen and not any(agent == who[0] for agent, _ in self._seen):
            self._silent[who[0]] = time.time() - (time.monotonic() - seen[0])

    async def _look_into_work_queues(self) -> None:
        """Note how far each work queue is empty: the decider finds unanswered tasks that no work queue holds."""
        while True:
            await anyio.sleep(timing.QUEUE_CHECK)
            for agent in tuple(self._cards):
                with suppress(Unanswered, Denied):
                    self._settled[agent] = await self.bus.log.settled_up_to(agent)
            self._refresh()

    def _unwell(self) -> frozenset[str]:
        """The agents of which every process is unwell or about to be recycled."""
        well = {agent for (agent, _), (_, beat) in self._seen.items() if not (beat.unwell or beat.recycle)}
        return frozenset(agent for agent, _ in self._seen) - well

    def _refresh(self) -> None:
        directory = Directory(
            cards=tuple(skill for card in self.cards() for skill in card.skills),
            alive=frozenset(agent for agent, _ in self._seen if agent in self._cards),
            typical=self._seconds,
            silent=dict(self._silent),
            settled={agent: seq for agent, seq in self._settled.items() if seq},
            unwell=self._unwell(),
            schemas={name: schema for card in self.cards() for name, schema in card.schemas.items()},
        )
        if directory != self._last:
            self._last = directory
            for changed in self.changed:
                changed()
