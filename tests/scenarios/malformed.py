"""Where malformed messages could do harm: every consumer of a team, and a message that would be good there."""

from collections.abc import Callable

from hustings.protocols import (
    Amount,
    Assigned,
    Cancelled,
    Concluded,
    Event,
    GoalAsked,
    Heartbeat,
    Progress,
    Result,
    Spent,
)
from hustings.protocols.envelope import seal

At = Callable[[int], str]
RUN = "RUN"  # in a good message stands for the run of its subject


def sealed(event: Event, run: str) -> bytes:
    return seal(event, source="mallory", run=run).encode()


def consumers(team: str, run: str, agent: str) -> dict[str, tuple[bytes, At]]:
    """Of every consumer a message that would be good there, and the subject, by a number. `agent` is a specialist."""
    runs = f"hustings.{team}.run"
    goal = GoalAsked(type="Case.v1", goal={}, by="mallory")
    task = Assigned(task="t", step="s", agent=agent, attempt=1, skill="none", input={}, deadline=4e9)
    result = Result(task="t", attempt=1, agent=agent, output={}, version="1.0.0", seconds=0.1)
    end = Concluded(status="failed", because="", state_hash="", at=1)
    beat = Heartbeat(agent="ghost", instance="ghost", version="1", card="", pid=1, host="h")
    progress = Progress(run=run, task="t", agent="ghost", says="!")
    return {
        "goals": (sealed(goal, RUN), lambda n: f"{runs}.g{n}.mallory.goal"),
        "tasks": (sealed(task, RUN), lambda n: f"{runs}.t{n}.coordinator.task.{agent}"),
        "results": (sealed(result, run), lambda n: f"{runs}.{run}.{agent}.result.nonsense.{n}"),
        "ends": (sealed(end, run), lambda n: f"{runs}.{run}.coordinator.event.concluded"),
        "cancels": (sealed(Cancelled(because="", by="mallory"), run), lambda n: f"{runs}.{run}.mallory.cancel"),
        "spends": (
            sealed(Spent(task="t", attempt=1, agent=agent, amount=Amount(calls=1)), run),
            lambda n: f"{runs}.{run}.{agent}.spend.t.{n}",
        ),
        "heartbeats": (beat.model_dump_json().encode(), lambda n: f"hustings.{team}.live.ghost.heartbeat"),
        "progress": (progress.model_dump_json().encode(), lambda n: f"hustings.{team}.live.ghost.progress"),
        "cards": (b'{"name":"ghost"}', lambda n: f"hustings.{team}.live.{agent}.card"),
        "discovery": (b'{"name":"ghost"}', lambda n: f"$SRV.{('PING', 'INFO', 'STATS')[n % 3]}"),
    }
