"""Subjects: the only file with subject strings. The author is a token of every subject."""

import re
from typing import NamedTuple

from .errors import BadName

_TOKEN = re.compile(r"[A-Za-z0-9_-]+")
COORDINATOR = "coordinator"


def is_token(word: str) -> bool:
    """True if the word can be one token of a subject."""
    return _TOKEN.fullmatch(word) is not None


def token(word: str, what: str = "name") -> str:
    """The word itself if it can be one token of a subject. Raises BadName."""
    if not is_token(word):
        raise BadName(f"{word!r} cannot be a {what}", "only letters, digits, '_' and '-' fit into a NATS subject")
    return word


class Subject(NamedTuple):
    """A parsed subject of the log: the run, who wrote (`author`), which kind, and the remaining tokens."""

    run: str
    author: str
    kind: str
    rest: tuple[str, ...] = ()


def parse(subject: str) -> Subject:
    """Parse a subject of the log. Missing tokens are empty strings: other writers may use any subject."""
    tokens = (*subject.split("."), "", "", "", "", "", "")
    return Subject(tokens[3], tokens[4], tokens[5], tuple(word for word in tokens[6:] if word))


class Subjects(NamedTuple):
    """Every subject of one team."""

    team: str

    # the log: the messages of runs, and what the team keeps across runs
    def stored(self) -> tuple[str, ...]:
        """The subjects that the team's stream stores. `live` and `call` are core NATS and not stored."""
        return self.log(), *(f"hustings.{self.team}.team.{family}.>" for family in ("ledger", "memory", "schedule"))

    def log(self) -> str:
        return f"hustings.{self.team}.run.>"

    def run(self, run: str) -> str:
        return f"hustings.{self.team}.run.{run}.>"

    def goal(self, run: str, client: str) -> str:
        return f"hustings.{self.team}.run.{run}.{client}.goal"

    def goals(self) -> str:
        return f"hustings.{self.team}.run.*.*.goal"

    def cancel(self, run: str, client: str) -> str:
        return f"hustings.{self.team}.run.{run}.{client}.cancel"

    def cancels(self) -> str:
        return f"hustings.{self.team}.run.*.*.cancel"

    def coordinator(self, run: str) -> str:
        return f"hustings.{self.team}.run.{run}.{COORDINATOR}.>"

    def decision(self, run: str, kind: str) -> str:
        return f"hustings.{self.team}.run.{run}.{COORDINATOR}.event.{kind}"

    def decisions(self, kind: str) -> str:
        return f"hustings.{self.team}.run.*.{COORDINATOR}.event.{kind}"

    def task(self, run: str, agent: str) -> str:
        return f"hustings.{self.team}.run.{run}.{COORDINATOR}.task.{agent}"

    def tasks(self, agent: str) -> str:
        return f"hustings.{self.team}.run.*.{COORDINATOR}.task.{agent}"

    def result(self, run: str, agent: str, task: str, attempt: int) -> str:
        return f"hustings.{self.team}.run.{run}.{agent}.result.{task}.{attempt}"

    def spend(self, run: str, agent: str, task: str, attempt: int) -> str:
        return f"hustings.{self.team}.run.{run}.{agent}.spend.{task}.{attempt}"

    def attempt(self, run: str, agent: str, task: str, attempt: int) -> str:
        """All messages of an agent about one attempt."""
        return f"hustings.{self.team}.run.{run}.{agent}.*.{task}.{attempt}"

    def model(self, run: str, agent: str, task: str, attempt: int, call: str) -> str:
        return f"hustings.{self.team}.run.{run}.{agent}.model.{task}.{attempt}.{call}"

    def tool(self, run: str, agent: str, task: str, attempt: int, call: str) -> str:
        return f"hustings.{self.team}.run.{run}.{agent}.tool.{task}.{attempt}.{call}"

    def ask(self, run: str, agent: str, task: str, attempt: int, ask: str) -> str:
        return f"hustings.{self.team}.run.{run}.{agent}.ask.{task}.{attempt}.{ask}"

    def work(self, run: str, agent: str, task: str) -> str:
        """All messages of an agent about one task: answers, reservations, calls and asks."""
        return f"hustings.{self.team}.run.{run}.{agent}.*.{task}.>"

    def discard(self, run: str, client: str, task: str) -> str:
        return f"hustings.{self.team}.run.{run}.{client}.discard.{task}"

    def discards(self) -> str:
        return f"hustings.{self.team}.run.*.*.discard.*"

    # live: core NATS, not stored
    def heartbeats(self) -> str:
        return f"hustings.{self.team}.live.*.heartbeat"

    def heartbeat(self, agent: str) -> str:
        return f"hustings.{self.team}.live.{agent}.heartbeat"

    def progress(self, agent: str) -> str:
        return f"hustings.{self.team}.live.{agent}.progress"

    def card(self, agent: str) -> str:
        return f"hustings.{self.team}.live.{agent}.card"

    def live(self) -> str:
        return f"hustings.{self.team}.live.>"

    def call(self) -> str:
        return f"hustings.{self.team}.call.>"

    # names of the team's stream and bucket on the server
    def stream(self) -> str:
        return f"LOG_{self.team}"

    def bucket(self) -> str:
        return f"BLOBS_{self.team}"
