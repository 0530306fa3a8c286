"""Who speaks: specialists, workers, the coordinator, the supervisor, clients, the command line."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .arbitration import (
        Arbiter,
        Docket,
        Rule,
        evident,
        independent,
        keep,
        majority,
        prefer,
        rules,
        surest,
        unopposed,
        verified,
    )
    from .chaining import by_contract
    from .client import Client, connect
    from .context import TaskContext
    from .coordinator import coordinate
    from .dead import Attempt, Autopsy, Letter, Redrive
    from .decider import Policy, View, decide
    from .folding import evolve, fold
    from .matters import Option
    from .planning import Brief, Planner, fixed
    from .report import Report, exit_code
    from .roster import Roster
    from .specialist import Specialist
    from .state import RunState
    from .supervisor import Supervisor
    from .team import Team, load
    from .worker import Worker

# Imported on first use: the command line lives below this package, and its --help must not wait for NATS and pydantic.
_HOMES = {
    "arbitration": "Arbiter Docket Rule evident independent keep majority prefer rules surest unopposed verified",
    "chaining": "by_contract",
    "client": "Client connect",
    "context": "TaskContext",
    "coordinator": "coordinate",
    "dead": "Attempt Autopsy Letter Redrive",
    "decider": "Policy View decide",
    "folding": "evolve fold",
    "matters": "Option",
    "planning": "Brief Planner fixed",
    "report": "Report exit_code",
    "roster": "Roster",
    "specialist": "Specialist",
    "state": "RunState",
    "supervisor": "Supervisor",
    "team": "Team load",
    "worker": "Worker",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = [  # noqa: RUF022 - in the order of docs/glossary.md
    # write a specialist
    "Specialist", "TaskContext",
    # make a team of them
    "Team", "load", "Policy",
    # plan
    "Planner", "Brief", "by_contract", "fixed",
    # settle
    "Arbiter", "Docket", "Option", "unopposed", "independent", "rules", "Rule", "keep", "evident", "surest", "prefer",
    "majority", "verified",
    # ask
    "Client", "connect", "Report", "exit_code", "Letter", "Autopsy", "Attempt", "Redrive",
    # run the parts
    "Worker", "Roster", "coordinate", "Supervisor",
    # the pure heart
    "RunState", "View", "decide", "evolve", "fold",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)
