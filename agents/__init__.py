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
    from .checking import misfits
    from .client import Client, connect
    from .context import TaskContext
    from .coordinator import coordinate
    from .dead import Attempt, Autopsy, Letter, Redrive
    from .decider import decide
    from .folding import evolve, fold
    from .judging import Case, Judgement, judged, model_judge
    from .matters import Option
    from .models.endpoints import Endpoints, configured
    from .models.tools import Tool, tool
    from .models.untrusted import Untrusted
    from .planning import Brief, Planner, fixed
    from .policy import Policy, View
    from .report import Report, exit_code
    from .roster import Roster
    from .serving import Serve
    from .sketching import PlanRequest, Sketch, by_model, model_planner
    from .specialist import Specialist
    from .state import RunState
    from .supervisor import Supervisor
    from .team import Team, load
    from .worker import Worker

# Imported on first use: the command line lives below this package, and its --help must not wait for NATS and pydantic.
_HOMES = {
    "arbitration": "Arbiter Docket Rule evident independent keep majority prefer rules surest unopposed verified",
    "chaining": "by_contract",
    "checking": "misfits",
    "client": "Client connect",
    "context": "TaskContext",
    "coordinator": "coordinate",
    "dead": "Attempt Autopsy Letter Redrive",
    "decider": "decide",
    "folding": "evolve fold",
    "judging": "Case Judgement judged model_judge",
    "matters": "Option",
    "models.endpoints": "Endpoints configured",
    "models.tools": "Tool tool",
    "models.untrusted": "Untrusted",
    "planning": "Brief Planner fixed",
    "policy": "Policy View",
    "report": "Report exit_code",
    "roster": "Roster",
    "serving": "Serve",
    "sketching": "PlanRequest Sketch by_model model_planner",
    "specialist": "Specialist",
    "state": "RunState",
    "supervisor": "Supervisor",
    "team": "Team load",
    "worker": "Worker",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = [  # noqa: RUF022 - in the order of docs/glossary.md
    # write a specialist
    "Specialist", "TaskContext", "Tool", "tool", "Untrusted", "Endpoints", "configured",
    # make a team of them
    "Team", "load", "Policy", "Serve",
    # plan
    "Planner", "Brief", "by_contract", "fixed", "by_model", "model_planner", "PlanRequest", "Sketch", "misfits",
    # settle
    "Arbiter", "Docket", "Option", "unopposed", "independent", "rules", "Rule", "keep", "evident", "surest", "prefer",
    "majority", "verified", "judged", "model_judge", "Case", "Judgement",
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
