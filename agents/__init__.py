"""Who speaks: specialists, workers, the coordinator, the supervisor, clients, the command line."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .arbitration.counting import independent, majority, unopposed
    from .arbitration.docket import Arbiter, Docket, Rule
    from .arbitration.judging import Case, Judgement, judged
    from .arbitration.matters import Option
    from .arbitration.proof import verified
    from .arbitration.rules import (
        evident,
        keep,
        prefer,
        rules,
        surest,
    )
    from .client.client import Client, connect
    from .client.run import Run
    from .containment.command import Completed, Limits, run_contained, scrubbed
    from .decider.decision import decide
    from .decider.folding import evolve, fold
    from .decider.policy import Policy, View
    from .decider.state import RunState
    from .deploy.supervisor import Supervisor
    from .history.dead_letters import (
        DeadLetterDetail,
        DeadLetterEntry,
        FailedAttempt,
        Redrive,
    )
    from .history.run_report import RunReport, exit_code
    from .members.judge import model_judge
    from .members.planner import model_planner
    from .models import Untrusted
    from .models.endpoints import Endpoints, configured
    from .models.rules import ModelRule
    from .models.tools import Tool, tool
    from .planning.chain import by_contract
    from .planning.draft import DraftPlan, PlanRequest, by_model
    from .planning.planner import Brief, Planner, fixed
    from .planning.validate import misfits
    from .runtime.coordinator import coordinate
    from .runtime.registry import AgentRegistry
    from .runtime.worker import Worker
    from .settings import mentions
    from .skills.context import TaskContext
    from .skills.specialist import Specialist
    from .team import Team

# Imported on first use: the command line is below this package, and its --help must not wait for NATS and pydantic.
_HOMES = {
    "arbitration.docket": "Arbiter Docket Rule",
    "arbitration.counting": "independent majority unopposed",
    "arbitration.rules": "evident keep prefer rules surest",
    "arbitration.proof": "verified",
    "planning.chain": "by_contract",
    "planning.validate": "misfits",
    "client.client": "Client connect",
    "client.run": "Run",
    "skills.context": "TaskContext",
    "containment.command": "Completed Limits run_contained scrubbed",
    "runtime.coordinator": "coordinate",
    "history.dead_letters": "FailedAttempt DeadLetterDetail DeadLetterEntry Redrive",
    "decider.decision": "decide",
    "decider.folding": "evolve fold",
    "arbitration.judging": "Case Judgement judged",
    "arbitration.matters": "Option",
    "models.endpoints": "Endpoints configured",
    "models.tools": "Tool tool",
    "models": "Untrusted",
    "planning.planner": "Brief Planner fixed",
    "decider.policy": "Policy View",
    "history.run_report": "RunReport exit_code",
    "runtime.registry": "AgentRegistry",
    "models.rules": "ModelRule",
    "planning.draft": "PlanRequest DraftPlan by_model",
    "skills.specialist": "Specialist",
    "members.judge": "model_judge",
    "members.planner": "model_planner",
    "decider.state": "RunState",
    "deploy.supervisor": "Supervisor",
    "settings": "mentions",
    "team": "Team",
    "runtime.worker": "Worker",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = [  # noqa: RUF022 - in the order of docs/glossary.md
    # write a specialist
    "Specialist", "TaskContext", "Tool", "tool", "Untrusted", "Endpoints", "configured",
    "Limits", "Completed", "run_contained", "scrubbed",
    # make a team of them
    "Team", "Policy", "ModelRule", "mentions",
    # plan
    "Planner", "Brief", "by_contract", "fixed", "by_model", "model_planner", "PlanRequest", "DraftPlan", "misfits",
    # settle
    "Arbiter", "Docket", "Option", "unopposed", "independent", "rules", "Rule", "keep", "evident", "surest", "prefer",
    "majority", "verified", "judged", "model_judge", "Case", "Judgement",
    # ask
    "Client", "connect", "Run", "RunReport", "exit_code",
    "DeadLetterEntry", "DeadLetterDetail", "FailedAttempt", "Redrive",
    # run the parts
    "Worker", "AgentRegistry", "coordinate", "Supervisor",
    # the pure heart
    "RunState", "View", "decide", "evolve", "fold",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)
