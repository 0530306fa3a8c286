"""Subjects: what Subjects writes, parse takes apart again; and names fit into one token."""

import inspect
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hustings.protocols import BadName, Subject, Subjects, parse
from hustings.protocols.subjects import is_token, token

TOKENS = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)

# every method that names one subject of the log, with what parse makes of it
ON_THE_LOG: dict[str, tuple[Callable[[Subjects], str], Subject]] = {
    "goal": (lambda s: s.goal("r1", "ann"), Subject("r1", "ann", "goal")),
    "cancel": (lambda s: s.cancel("r1", "ann"), Subject("r1", "ann", "cancel")),
    "decision": (lambda s: s.decision("r1", "planned"), Subject("r1", "coordinator", "event", ("planned",))),
    "task": (lambda s: s.task("r1", "ann"), Subject("r1", "coordinator", "task", ("ann",))),
    "result": (lambda s: s.result("r1", "ann", "t-1", 2), Subject("r1", "ann", "result", ("t-1", "2"))),
    "spend": (lambda s: s.spend("r1", "ann", "t-1", 2), Subject("r1", "ann", "spend", ("t-1", "2"))),
    "model": (lambda s: s.model("r1", "ann", "t-1", 2, "ab-1"), Subject("r1", "ann", "model", ("t-1", "2", "ab-1"))),
    "tool": (lambda s: s.tool("r1", "ann", "t-1", 2, "ab-1"), Subject("r1", "ann", "tool", ("t-1", "2", "ab-1"))),
    "ask": (lambda s: s.ask("r1", "ann", "t-1", 2, "ab-1"), Subject("r1", "ann", "ask", ("t-1", "2", "ab-1"))),
    "discard": (lambda s: s.discard("r1", "ann", "t-1"), Subject("r1", "ann", "discard", ("t-1",))),
}
# every filter, with the subjects it must cover, and one it must not
FILTERS: dict[str, tuple[Callable[[Subjects], str], set[str]]] = {
    "log": (lambda s: s.log(), {*ON_THE_LOG}),
    "run": (lambda s: s.run("r1"), {*ON_THE_LOG}),
    "goals": (lambda s: s.goals(), {"goal"}),
    "cancels": (lambda s: s.cancels(), {"cancel"}),
    "coordinator": (lambda s: s.coordinator("r1"), {"decision", "task"}),
    "decisions": (lambda s: s.decisions("planned"), {"decision"}),
    "tasks": (lambda s: s.tasks("ann"), {"task"}),
    "attempt": (lambda s: s.attempt("r1", "ann", "t-1", 2), {"result", "spend"}),
    "work": (lambda s: s.work("r1", "ann", "t-1"), {"result", "spend", "model", "tool", "ask"}),
    "discards": (lambda s: s.discards(), {"discard"}),
}
ELSEWHERE = {"stored", "call", "heartbeats", "heartbeat", "progress", "card", "live", "stream", "bucket"}
S = Subjects("desk")


def covers(pattern: str, subject: str) -> bool:
    """NATS: `*` is one token, `>` the rest."""
    wanted, given_ = pattern.split("."), subject.split(".")
    if wanted[-1] == ">":
        wanted, given_ = wanted[:-1], given_[: len(wanted) - 1] if len(given_) >= len(wanted) else []
    return len(wanted) == len(given_) and all(w in ("*", g) for w, g in zip(wanted, given_, strict=True))


def test_every_method_is_looked_at_here() -> None:
    """A new subject comes with its line in the tables of this test."""
    methods = {name for name, _ in inspect.getmembers(Subjects, inspect.isfunction) if not name.startswith("_")}
    assert methods == {*ON_THE_LOG, *FILTERS, *ELSEWHERE}


@pytest.mark.parametrize("name", ON_THE_LOG)
def test_what_is_written_is_taken_apart_again(name: str) -> None:
    """Run, author, kind and the rest; the author is a token of every subject."""
    write, parts = ON_THE_LOG[name]
    assert parse(write(S)) == parts


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_covers_its_own_and_nothing_else(name: str) -> None:
    """Of all that is on the log, and never what is said live."""
    pattern = FILTERS[name][0](S)
    assert {other for other, (write, _) in ON_THE_LOG.items() if covers(pattern, write(S))} == FILTERS[name][1]
    assert not covers(pattern, S.heartbeat("ann"))
    assert not covers(pattern, ON_THE_LOG["goal"][0](Subjects("other")))


def test_what_is_stored_are_runs_and_what_a_team_knows() -> None:
    """Nothing live and no call is stored, and no family is stored twice."""
    for family in ("ledger", "memory", "schedule"):
        assert sum(covers(pattern, f"hustings.desk.team.{family}.x.y") for pattern in S.stored()) == 1
    for subject in (S.heartbeat("ann"), "hustings.desk.call.ann.x", "hustings.desk.team.other.x"):
        assert not any(covers(pattern, subject) for pattern in S.stored())
    assert covers(S.call(), "hustings.desk.call.ann.x")


def test_what_is_live_is_not_on_the_log() -> None:
    """Heartbeats, progress and cards are covered by the live filter alone."""
    for subject in (S.heartbeat("ann"), S.progress("ann"), S.card("ann")):
        assert covers(S.live(), subject)
        assert not covers(S.log(), subject)
    assert covers(S.heartbeats(), S.heartbeat("ann"))
    assert not covers(S.heartbeats(), S.card("ann"))


@settings(derandomize=True, max_examples=50, deadline=None)
@given(TOKENS, TOKENS, TOKENS, TOKENS, st.integers(1, 9))
def test_any_names_come_back(team: str, run: str, agent: str, task: str, attempt: int) -> None:
    """Whatever is_token admits survives the way into a subject and back."""
    assert all(map(is_token, (team, run, agent, task)))
    assert parse(Subjects(team).result(run, agent, task, attempt)) == Subject(
        run, agent, "result", (task, str(attempt))
    )


@pytest.mark.parametrize("word", ["", " ", "a.b", "a b", "*", ">", "a\n", "ä", "a/b"])
def test_what_is_no_token_is_a_bad_name(word: str) -> None:
    """The error names the word and what it was to be, and says what is allowed."""
    assert not is_token(word)
    with pytest.raises(BadName, match="cannot be a team's name: only letters") as caught:
        token(word, "team's name")
    assert repr(word) in caught.value.what


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.text(max_size=40))
def test_parse_takes_whatever_strangers_write(subject: str) -> None:
    """Too short, too long, empty tokens: it never raises."""
    assert isinstance(parse(subject), Subject)
