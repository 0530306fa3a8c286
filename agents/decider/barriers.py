"""Barriers: open when all their witnesses were heard, and settle when the arbiters need no more answers."""

from collections.abc import Iterator

from hustings.protocols import Decision, Inquiry, Opened, Ruling, Settled, Verdict

from ..arbitration.matters import group
from ..arbitration.settling import settle
from .fold_barriers import testimony
from .inquiries import inquire, is_open, look_up
from .turn import Turn


def openings(turn: Turn) -> Iterator[Opened]:
    """Each barrier whose witnesses have all been heard opens with its matters."""
    state = turn.state
    conflicts, agreed = state.conflicts, state.agreed
    for name in state.openings:
        items = testimony(state, state.barriers[name])
        matters = group(items, conflicts=conflicts, agreed=agreed)
        yield Opened(barrier=name, matters=matters)
        conflicts += sum(matter.contested for matter in matters)
        agreed += sum(not matter.contested for matter in matters)


def settling(turn: Turn, name: str) -> Iterator[Decision]:
    """The arbiters' inquiries about an open barrier; if they have none, its rulings."""
    barrier = turn.state.barriers[name]
    replies = settle(barrier.matters, barrier.items, turn.policy.arbiters, look_up(turn))
    inquiries = [reply for reply in replies if isinstance(reply, Inquiry)]
    turn.allocator.expect(sum(not is_open(turn, inquiry.task) for inquiry in inquiries))
    yield from inquire(turn, inquiries, name, barrier.since)
    if not inquiries:
        yield Settled(barrier=name, rulings=tuple(Ruling.on(reply) for reply in replies if isinstance(reply, Verdict)))
