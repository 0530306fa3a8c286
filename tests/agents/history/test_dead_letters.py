"""Letters: what the log says of dead letters, whoever writes there; and which version is newer."""

import pytest

from hustings.agents.history.dead_letters import DeadLetters, newer
from hustings.protocols import Assigned, Concluded, DeadLetter, Discarded, Entry, Event, GoalAsked, Subject
from hustings.protocols.envelope import seal


class Said:
    """A log that is written by hand."""

    def __init__(self) -> None:
        self.letters = DeadLetters("mill")
        self.seq = 0

    def say(self, run: str, event: Event | None, author: str = "coordinator", *rest: str, kind: str = "event") -> None:
        self.seq += 1
        envelope = seal(event, source=author, run=run) if event else None
        self.letters.note(Entry(self.seq, Subject(run, author, kind, rest), 1e9 + self.seq, envelope))

    def goal(self, run: str, redrives: str = "", *tasks: str) -> None:
        again = tuple(assigned(task) for task in tasks)
        asked = GoalAsked(type="Grain.v1", goal={}, by="ann", again=again, redrives=redrives)
        self.say(run, asked, "ann", kind="goal")

    def end(self, run: str, *done: str) -> None:
        self.say(run, Concluded(status="partial", filled=done, because="", state_hash="", at=1))

    @property
    def states(self) -> dict[str, tuple[str, str]]:
        return {letter.id: (letter.status, letter.redriven_by or letter.discarded_by) for letter in self.letters.all()}


def assigned(task: str) -> Assigned:
    return Assigned(task=task, step=task, agent="grinder", attempt=1, skill="grind", input={}, deadline=0.0)


def dead(task: str, because: str = "") -> DeadLetter:
    return DeadLetter(task=task, agent="grinder", skill="grind", attempts=2, kind="raised", because=because)


def test_a_letter_is_dead_until_a_redrive_that_ends_with_its_task_or_with_a_letter_of_its_own() -> None:
    """A redrive that goes on counts; one that ended without a word of the task leaves the letter as it was."""
    said = Said()
    said.goal("r1")
    said.say("r1", dead("a"))
    said.say("r1", dead("b"))
    said.end("r1")
    assert said.states == {"r1.a": ("dead", ""), "r1.b": ("dead", "")}
    said.goal("r2", "r1", "a")
    assert said.states["r1.a"] == ("redriven", "r2")
    said.end("r2")
    assert said.states["r1.a"] == ("dead", "")
    said.goal("r3", "r1", "a", "b")
    said.say("r3", dead("b"))
    said.end("r3", "a")
    assert said.states == {"r1.a": ("redriven", "r3"), "r1.b": ("redriven", "r3"), "r3.b": ("dead", "")}


def test_what_strangers_say_is_passed_over_and_of_what_is_said_twice_the_first_counts() -> None:
    """Nobody but the coordinator writes a letter or an end, and a discard lies on its own task's subject."""
    said = Said()
    said.say("r1", None, "mallory", kind="goal")
    said.goal("r1")
    said.say("r1", dead("a", "ours"))
    said.say("r1", dead("a", "again"))
    said.say("r1", dead("b"), "mallory")
    said.goal("r1", "r1", "a")
    said.say("r1", Discarded(task="a", by="mallory"), "mallory", "b", kind="discard")
    said.say("r1", Discarded(task="a", by="mallory"), "mallory", "a")
    assert said.states == {"r1.a": ("dead", "")}
    assert said.letters.all()[0].because == "ours"
    said.say("r1", Discarded(task="a", by="ann", because="enough"), "ann", "a", kind="discard")
    said.say("r1", Discarded(task="a", by="bob"), "bob", "a", kind="discard")
    assert (said.states["r1.a"], said.letters.all()[0].discarded_because) == (("discarded", "ann"), "enough")


def test_the_next_run_follows_from_the_redrives_that_are_there() -> None:
    """Two that have seen the same would begin the same run; whoever has seen it begun would begin another."""
    one, two = Said(), Said()
    for said in (one, two):
        said.goal("r1")
    first = one.letters.next_run("r1")
    assert first == two.letters.next_run("r1") != one.letters.next_run("r2")
    one.goal(first, "r1", "a")
    second = one.letters.next_run("r1")
    assert second != first
    two.goal(second, "r1", "b")  # the run `first` was deleted meanwhile
    assert two.letters.next_run("r1") not in (first, second)


@pytest.mark.parametrize(
    ("older", "later"),
    [
        ("1.0.0", "1.0.1"), ("1.9", "1.10"), ("1", "1.0.1"), ("1.0.0-rc.1", "1.0.0"), ("1.0.0-rc.9", "1.0.0-rc.10"),
        ("v1.2.3", "1.2.4"), ("1.0.0-1", "1.0.0-alpha"), ("2024.9", "2024.11"), ("", "0.1"), ("1.0.x", "1.1.0"),
    ],
)  # fmt: skip
def test_which_version_is_newer(older: str, later: str) -> None:
    """Number by number, not letter by letter; a pre-release comes before its release."""
    assert newer(later, older)
    assert not newer(older, later)


@pytest.mark.parametrize(("one", "other"), [("1.0.0", "1.0"), ("1.0.0+linux", "1.0.0+mac"), ("v2", "2.0.0"), ("", "")])
def test_which_versions_are_the_same(one: str, other: str) -> None:
    """Neither is newer than the other."""
    assert not newer(one, other)
    assert not newer(other, one)
