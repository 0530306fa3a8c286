"""A whole run without a bus: the decider against skills that are plain functions, on a log that is a list."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import JsonValue

from hustings.agents import Policy, RunState, View, decide, evolve
from hustings.agents.decider.decision import wake
from hustings.protocols import (
    COORDINATOR,
    Assigned,
    Concluded,
    Contract,
    Data,
    Directory,
    Entry,
    Event,
    Failure,
    GoalAsked,
    Result,
    RetryPolicy,
    RunAcquired,
    SkillCard,
    Subject,
)
from hustings.protocols.envelope import seal

Handler = Callable[[Data], JsonValue | Failure]
AT_ONCE = RetryPolicy(max_attempts=2, initial_interval=0.0)  # where the waits are not what is tested


def card(agent: str, name: str, output: str, witness: bool = False, many: bool = False, **inputs: str) -> SkillCard:
    """A skill by its contracts: `clerk`, `draft`, says "Draft.v1", takes text="Text.v1", "[Text.v1]" or "Text.v1?"."""
    return SkillCard(
        agent=agent,
        version="1",
        name=name,
        output=Contract(type=output, many=many),
        witness=witness,
        inputs={
            key: Contract(type=word.strip("[]?"), many=word.startswith("["), optional=word.endswith("?"))
            for key, word in inputs.items()
        },
    )


@dataclass
class Simulation:
    """One run. `crash`: after each decision only a random prefix is stored, and the state is folded afresh."""

    policy: Policy
    cards: list[SkillCard]
    skills: dict[str, Handler]
    seed: int = 0
    crash: bool = False
    dead: frozenset[str] = frozenset()
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    log: list[Entry] = field(default_factory=list)
    now: float = 1000.0
    cpu: float = 0.0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.state = RunState("r1")

    def view(self) -> View:
        alive = frozenset(card.agent for card in self.cards) - self.dead
        return View(self.now, Directory(cards=tuple(self.cards), alive=alive))

    def append(self, event: Event | None, author: str, kind: str, *rest: str) -> None:
        """Put an event on the log, and fold it. None: bytes that nobody can read."""
        self.now += 0.001
        envelope = seal(event, source=author, run="r1") if event else None
        subject = Subject("r1", author, kind, rest)
        entry = Entry(len(self.log) + 1, subject, self.now, envelope, "" if event else "not JSON")
        self.log.append(entry)
        started = time.process_time()
        evolve(self.state, entry)
        self.cpu += time.process_time() - started

    def ask(self, goal: Data, type: str) -> None:
        asked = GoalAsked(type=type, goal=goal, by="test", only=self.only, skip=self.skip)
        self.append(asked, "client", "goal")
        self.append(RunAcquired(instance="one", retry=self.policy.retry), COORDINATOR, "event", "runacquired")

    def decided(self) -> bool:
        """One decision, and what of it is stored. False if there is nothing to decide now."""
        started = time.process_time()
        decisions = decide(self.state, self.policy, self.view())
        self.cpu += time.process_time() - started
        stored = decisions
        if self.crash and decisions:
            stored = decisions[: self.random.randint(1, len(decisions))]
        for decision in stored:
            kind = "task" if isinstance(decision, Assigned) else "event"
            self.append(decision, COORDINATOR, kind)
        if self.crash:
            self.refold()
        return bool(decisions)

    def refold(self) -> None:
        self.state = RunState("r1")
        for entry in self.log:
            evolve(self.state, entry)

    def open_tasks(self) -> list[Assigned]:
        """The assignments that wait for an answer of somebody who is there."""
        last = {task.task: task for task in self.assigned() if task.task in self.state.tasks}
        return [t for name, t in last.items() if self.state.tasks[name].status == "open" and t.agent not in self.dead]

    def answer(self, task: Assigned) -> None:
        """The agent of a task answers it. A skill may be given for one agent alone: "ann.sum" before "sum"."""
        own = f"{task.agent}.{task.skill}"
        self.say(task, self.skills[own if own in self.skills else task.skill](task.input))

    def say(self, task: Assigned, said: JsonValue | Failure) -> None:
        event: Result | Failure
        if isinstance(said, Failure):
            event = said.model_copy(update={"task": task.task, "attempt": task.attempt, "agent": task.agent})
        else:
            event = Result(task=task.task, attempt=task.attempt, agent=task.agent, output=said)
        self.append(event, task.agent, "result", task.task, str(task.attempt))

    def decide(self) -> None:
        """Decide until there is nothing to decide now. Fails where that does not end."""
        for _ in range(1000):
            if not self.decided():
                return
        raise AssertionError("the decider repeats itself")

    def sleep(self) -> None:
        """Nothing happens until the time the decider wants to be woken at."""
        at = wake(self.state, self.policy, self.view())
        assert at is not None, "nobody is asked anything, and nobody is waited for"
        assert at > self.now, "a time that has passed"
        self.now = at

    def run(self, goal: Data, type: str, *, limit: int = 100_000) -> Concluded:
        """Play to the end, the agents answering in an order of chance."""
        self.ask(goal, type)
        return self.play(limit)

    def play(self, limit: int = 100_000) -> Concluded:
        for _ in range(limit):
            if self.state.concluded:
                return self.state.concluded
            if self.decided():
                continue
            tasks = self.open_tasks()
            if tasks:
                self.answer(self.random.choice(tasks))
            else:
                self.sleep()
        raise AssertionError("the run does not end")

    def assigned(self, step: str = "") -> list[Assigned]:
        """Every assignment on the log, of one step or of all."""
        events = (entry.event for entry in self.log)
        return [event for event in events if isinstance(event, Assigned) and step in ("", event.step)]


def raised(because: str = "boom") -> Failure:
    return Failure(task="", attempt=0, agent="", kind="raised", because=because)


def refused(because: str = "bad input") -> Failure:
    return Failure(task="", attempt=0, agent="", kind="non_retryable", because=because)
