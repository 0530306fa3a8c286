"""The fold of asks: what agents ask for within their tasks."""

from dataclasses import replace
from typing import Literal

from hustings.protocols import Asked, Entry

from .fold_barriers import wake
from .spending import hand_over, spender
from .state import ASK, AskState, RunState


def may_ask(state: RunState, event: Asked, entry: Entry) -> bool:
    """True if the ask is on its own subject, and its author has or had the attempt."""
    place = (event.task, str(event.attempt), event.ask)
    return entry.subject.rest == place and event.agent == entry.subject.author == spender(state, event)


def asked(state: RunState, event: Asked, now: float) -> None:
    """The asker waits for the child from now on, unless the attempt is over. An answered ask gets no second answer."""
    task, child = state.tasks[event.task], event.child
    before, answering = state.asks.get(child), state.tasks.get(child)
    if task.status != "open" or task.attempt != event.attempt:
        return
    if event.share:
        hand_over(state, event.task, event.attempt, event.share)
    if before and before.status != "dropped":
        return
    depth = state.asks[event.task].depth + 1 if event.task in state.asks else 1
    state.asks[child] = AskState(
        event.task, event.attempt, event.skill, event.input, now, depth, event.share, wants=event.wants
    )
    state.waiting.setdefault(event.task, {})[child] = None
    if answering is None or answering.status != "open":
        state.unserved[child] = None


def passed_on(state: RunState, child: str) -> None:
    """The answer has been passed on to the asker."""
    state.waiting.get(state.asks[child].asker, {}).pop(child, None)
    state.answers.pop(child, None)
    drop(state, child, "answered")


def drop(state: RunState, child: str, status: Literal["dropped", "answered"]) -> None:
    """End an ask: no decision about it is needed any more, and its input is forgotten."""
    state.asks[child] = replace(state.asks[child], status=status, input={})
    state.unserved.pop(child, None)


def heard(state: RunState, name: str) -> None:
    """A task was answered, or is due again: decide about the ask, inquiry or barrier that waits for it."""
    asked_by = state.tasks[name].asked_by
    if asked_by != ASK:
        wake(state, asked_by)
    elif state.asks[name].status == "waiting":
        state.unserved[name] = None
