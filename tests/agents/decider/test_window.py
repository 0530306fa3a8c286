"""The window: no agent has more tasks open than it has room for, wherever they come from; and nobody waits for ever."""

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from hustings.agents import Docket, Policy, fixed, unopposed
from hustings.protocols import (
    Asked,
    Assigned,
    AttemptAbandoned,
    Claim,
    Concluded,
    Data,
    Event,
    FromGoal,
    FromSteps,
    FromVerdicts,
    Goal,
    Inquiry,
    Message,
    Outcome,
    Plan,
    Step,
    Verdict,
)

from ..simulation import Handler, Simulation, card

DEEP = 4  # tasks within a task, where no budget says how many


class Heap(Goal, contract="window.Heap.v1"):
    pieces: list[str]
    conflicts: int


class Pile(Message, contract="window.Pile.v1"): ...


class Sorted(Outcome):
    verdicts: list[Verdict]
    piles: list[Pile]


CARDS = [
    card("ann", "check", "window.Findings.v1", witness=True, heap="window.Heap.v1"),
    card("bob", "check", "window.Findings.v1", witness=True, heap="window.Heap.v1"),
    card("judge", "judge", "window.Judgement.v1", case="window.Case.v1"),
    card("judge", "sort", "window.Pile.v1", piece="window.Piece.v1"),
    card("clerk", "sort", "window.Pile.v1", piece="window.Piece.v1"),
    card("clerk", "help", "window.Pile.v1", piece="window.Piece.v1"),
    card("clerk", "tidy", "window.Pile.v1", piece="window.Piece.v1"),
]


def finds(value: str) -> Handler:
    def check(given: Data) -> JsonValue:
        heap = given["heap"]
        assert isinstance(heap, dict)
        number = heap["conflicts"]
        assert isinstance(number, int)
        return {"claims": [Claim(about=f"matter {n}", value=value).plain() for n in range(number)]}

    return check


def asks_the_judge(docket: Docket) -> Iterator[Inquiry]:
    """One question for each conflict, all of them at once."""
    inquiries = [Inquiry(skill="judge", given={"case": {"about": m.about}}) for m in docket.contested()]
    yield from (inquiry for inquiry in inquiries if docket.answer(inquiry) is None)


class Desk(Simulation):
    """A run that holds each assignment against the window at the moment at which it is made."""

    above = 0

    def append(self, event: Event | None, author: str, kind: str, *rest: str) -> None:
        if isinstance(event, Assigned):
            self.has_room(event)
        assert not isinstance(event, AttemptAbandoned), "somebody has waited for ever"
        super().append(event, author, kind, *rest)

    def has_room(self, event: Assigned) -> None:
        """In the window; or above it what is asked for while all the others wait, none of them as deep."""
        before = self.state.open.get(event.agent, {})
        if len(before) >= self.policy.max_open_tasks:
            self.above += 1
            assert event.asked_by == "ask"
            assert all(self.waits(name) for name in before)
            assert all(self.depth(name) < event.depth for name in before)
            assert len(before) < self.policy.max_open_tasks + DEEP

    def waits(self, name: str) -> bool:
        return bool(self.state.waiting.get(name))

    def depth(self, name: str) -> int:
        return self.state.asks[name].depth if name in self.state.asks else 0

    def at_work(self) -> list[Assigned]:
        """What is open and waits for nothing: its agent goes on with it now."""
        return [task for task in self.open_tasks() if not self.waits(task.task)]

    def wants(self, task: Assigned, skill: str) -> None:
        """The task asks for a skill, and waits."""
        place = (task.task, str(task.attempt), f"d-{len(self.log)}")
        given: Data = {"case" if skill == "judge" else "piece": place[-1]}
        asked = Asked(task=task.task, attempt=task.attempt, agent=task.agent, ask=place[-1], skill=skill, input=given)
        self.append(asked, task.agent, "ask", *place)


def desk(
    *,
    pieces: int,
    conflicts: int,
    max_open_tasks: int,
    by: tuple[str, ...] = ("clerk",),
    seed: int = 0,
    crash: bool = False,
) -> Desk:
    """Two witnesses that disagree about so many matters, each a question to the judge; and pieces to be sorted."""
    witnesses = [
        Step(id=name, skill="check", inputs={"heap": FromGoal()}, agents=(name,), witness=True)
        for name in ("ann", "bob")
    ]
    sort = Step(id="sort", skill="sort", inputs={"piece": FromGoal(field="pieces")}, agents=by, each="piece")
    heard = FromVerdicts(steps=("ann", "bob"))
    plan = Plan(steps=(*witnesses, sort), outcome={"verdicts": heard, "piles": FromSteps(steps=("sort",), many=True)})
    policy = Policy(
        goal=Heap,
        outcome=Sorted,
        planner=fixed(plan),
        arbiters=(unopposed, asks_the_judge),
        max_open_tasks=max_open_tasks,
    )
    skills: dict[str, Handler] = {
        "ann.check": finds("yes"), "bob.check": finds("no"), "judge": lambda _: {}, "sort": lambda _: {},
        "help": lambda _: {}, "tidy": lambda _: {},
    }  # fmt: skip
    run = Desk(policy, CARDS, skills, seed=seed, crash=crash)
    run.ask({"pieces": [f"p{n}" for n in range(pieces)], "conflicts": conflicts}, Heap.__contract__)
    return run


def test_inquiries_take_their_places_in_the_window() -> None:
    """Sixty conflicts, and room for three: never more, and all of them are asked about."""
    run = desk(pieces=0, conflicts=60, max_open_tasks=3)
    assert run.play().status == "decided"
    assert len([task for task in run.assigned() if task.skill == "judge"]) == 60
    assert run.above == 0


def test_an_inquiry_gets_its_turn_among_the_tasks_of_the_plan() -> None:
    """The judge has hundreds of pieces to sort as well: before each question a few more of them are begun, not all."""
    run = desk(pieces=300, conflicts=10, max_open_tasks=3, by=("judge",))
    run.decide()
    for witness in [task for task in run.open_tasks() if task.skill == "check"]:
        run.answer(witness)
    while [task.skill for task in run.assigned()].count("judge") < 10:
        run.decide()
        run.answer(run.open_tasks()[0])
    assert len([task for task in run.assigned() if task.skill == "sort"]) < 100
    assert run.play().status == "decided"


def test_an_inquiry_gets_its_turn_among_those_who_keep_asking() -> None:
    """Every piece asks the judge again as soon as it has its answer; the inquiry, which waits longer, goes first."""
    run = desk(pieces=20, conflicts=5, max_open_tasks=2, by=("clerk",))
    run.decide()
    for witness in [task for task in run.open_tasks() if task.skill == "check"]:
        run.answer(witness)
    for _ in range(200):
        for task in [task for task in run.at_work() if task.agent == "clerk"]:
            for _ in range(3):
                run.wants(task, "judge")
        run.decide()
        if [task.asked_by for task in run.assigned() if task.skill == "judge"].count("outcome.verdicts") == 5:
            break
        run.answer(next(task for task in run.at_work() if task.agent == "judge"))
    else:
        raise AssertionError("an inquiry never had its turn")


@pytest.mark.parametrize("max_open_tasks", [1, 2, 3])
def test_a_window_full_of_tasks_that_ask_their_own_agent_comes_to_an_end(max_open_tasks: int) -> None:
    """Each piece asks for a skill of the very clerk who sorts it, and what is asked for asks again, to the bound."""
    run = desk(pieces=6, conflicts=0, max_open_tasks=max_open_tasks)
    asked: set[str] = set()
    while not run.state.concluded:
        run.decide()
        task = run.at_work()[-1] if not run.state.concluded else None
        if task and task.agent == "clerk" and task.task not in asked and run.depth(task.task) < DEEP:
            asked.add(task.task)
            run.wants(task, "help")
        elif task:
            run.answer(task)
    assert run.state.concluded.status == "decided"
    assert run.above > 0


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    max_open_tasks=st.integers(1, 4),
    pieces=st.integers(0, 12),
    conflicts=st.integers(0, 8),
    crash=st.booleans(),
)
def test_nobody_has_more_than_its_window_whatever_is_asked(
    seed: int, max_open_tasks: int, pieces: int, conflicts: int, crash: bool
) -> None:
    """Tasks of the plan, inquiries and what is asked for within tasks, to others, to oneself and in circles: each
    assignment has room, nothing ever stands still, and everything is done."""
    chance = Random(seed)
    run = desk(
        pieces=pieces, conflicts=conflicts, max_open_tasks=max_open_tasks, by=("judge", "clerk"), seed=seed, crash=crash
    )
    asks = 40
    while not run.state.concluded:
        run.decide()
        if run.state.concluded:
            break
        task = chance.choice(run.at_work())
        if asks and chance.random() < 0.5 and run.depth(task.task) < DEEP:
            for _ in range(chance.randint(1, 3)):
                asks = max(asks - 1, 0)
                run.wants(task, chance.choice(("help", "judge", "sort", "tidy")))
        else:
            run.answer(task)
    assert isinstance(run.state.concluded, Concluded)
    assert run.state.concluded.status == "decided"
