"""Plan: a DAG of steps, in plain JSON so that a model can write one and a person can read it."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from .message import Contract, Count, Data, Message, Moment, Seconds, Timeout, later
from .retry import RetryPolicy

OUTCOME = "outcome"  # names the outcome in places that otherwise hold a step id


class SkillCard(Message, contract="hustings.SkillCard.v1"):
    """One skill of one agent: its parameters and its return type. `spends`: it may spend some of the budget.

    `retry`: how its tasks are retried; None: as the team does. `timeout`: for how many seconds it may work on one
    attempt; None: until the deadline of the attempt.
    """

    agent: str
    version: str
    name: str
    inputs: dict[str, Contract]
    output: Contract
    witness: bool = False
    description: str = ""
    spends: bool = later(True)
    retry: RetryPolicy | None = later(None)
    timeout: Timeout | None = later(None)


class AgentCard(Message, contract="hustings.AgentCard.v1"):
    """An agent's description of itself, in A2A's terms. `schemas`: the JSON Schema of every contract it names."""

    name: str
    version: str
    description: str
    skills: tuple[SkillCard, ...]
    schemas: dict[str, Data] = {}


class Directory(Message, contract="hustings.Directory.v1"):
    """Which agents there are: the skills of all known agents, which agents are alive, and each skill's usual seconds.

    `silent`: for each agent that is no longer alive, when it was heard last (seconds since the epoch). `settled`: for
    each agent, the log sequence up to which its work queue is empty, where known. `unwell`: agents whose models are
    unavailable. `schemas`: the JSON Schema of each contract that the cards name.
    """

    cards: tuple[SkillCard, ...] = ()
    alive: frozenset[str] = frozenset()
    typical: dict[str, Seconds] = {}
    silent: dict[str, Moment] = {}
    settled: dict[str, Count] = {}
    unwell: frozenset[str] = frozenset()
    schemas: dict[str, Data] = {}


class FromGoal(Message, contract="hustings.FromGoal.v1"):
    """The goal itself, or one field of it."""

    kind: Literal["goal"] = "goal"
    field: str | None = None


class FromSteps(Message, contract="hustings.FromSteps.v1"):
    """What these steps return; `many`: all of it as one list, in the order of the steps."""

    kind: Literal["steps"] = "steps"
    steps: tuple[str, ...]
    many: bool = False


class FromVerdicts(Message, contract="hustings.FromVerdicts.v1"):
    """A barrier: the verdicts on everything that these witness steps return."""

    kind: Literal["verdicts"] = "verdicts"
    steps: tuple[str, ...]


class Value(Message, contract="hustings.Value.v1"):
    """A constant."""

    kind: Literal["value"] = "value"
    value: JsonValue


Ref = Annotated[FromGoal | FromSteps | FromVerdicts | Value, Field(discriminator="kind")]


class Step(Message, contract="hustings.Step.v1"):
    """One use of a skill. `agents` can do it, in order of preference; `each` names the parameter it fans out over.

    `optional` names the parameters that may be missing; `witness`: the skill returns testimony; `spends`: its tasks
    need a share of the budget.
    """

    id: str
    skill: str
    inputs: dict[str, Ref]
    agents: tuple[str, ...]
    each: str | None = None
    many: bool = False
    optional: tuple[str, ...] = ()
    witness: bool = False
    spends: bool = later(True)


class Plan(Message, contract="hustings.Plan.v1"):
    """The steps, how the outcome's fields are bound, and the planner's reasons.

    `because` explains each binding under "STEP.PARAMETER" or "outcome.FIELD"; `skipped` says why a skill is not used;
    `asked` names the skills that no step uses but an arbiter may ask, each with the arbiter; `absent` names the members
    of the team that are missing; `optional` names the outcome's fields that may be missing.
    """

    steps: tuple[Step, ...]
    outcome: dict[str, Ref]
    skipped: dict[str, str] = {}
    absent: tuple[str, ...] = ()
    because: dict[str, str] = {}
    optional: tuple[str, ...] = ()
    asked: dict[str, str] = later({})


def steps_of(refs: Mapping[str, Ref]) -> list[str]:
    """The ids of the steps that the references name."""
    return [name for ref in refs.values() if isinstance(ref, FromSteps | FromVerdicts) for name in ref.steps]
