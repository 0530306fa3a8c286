"""Plan: a DAG of steps, in plain JSON so that a model can write one and a person can read it."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from .message import Contract, Count, Data, Message, Moment, Seconds, later

OUTCOME = "outcome"  # what stands for the outcome where else the id of a step stands


class SkillCard(Message, contract="hustings.SkillCard.v1"):
    """One skill of one agent: what it takes, by parameter, and what it says. `spends`: it may spend of the budget."""

    agent: str
    version: str
    name: str
    takes: dict[str, Contract]
    says: Contract
    witness: bool = False
    description: str = ""
    spends: bool = later(True)


class AgentCard(Message, contract="hustings.AgentCard.v1"):
    """What an agent says of itself (the words are A2A's). `schemas` has the JSON Schema of every contract it names."""

    name: str
    version: str
    description: str
    skills: tuple[SkillCard, ...]
    schemas: dict[str, Data] = {}


class Directory(Message, contract="hustings.Directory.v1"):
    """Who is there: the skills of every agent that was heard of, who is alive, and how long skills usually take (s).

    `silent`: when whoever is not alive any more was heard last, in seconds since the epoch. `settled`: up to which
    place on the log an agent's inbox holds nothing any more, where that is known. `unwell`: whose models cannot be had.
    `schemas`: the JSON Schema of each contract that the cards name.
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
    """What these steps say; `many`: all of it as one list, in the order of the steps."""

    kind: Literal["steps"] = "steps"
    steps: tuple[str, ...]
    many: bool = False


class FromVerdicts(Message, contract="hustings.FromVerdicts.v1"):
    """A barrier: the verdicts on all that these witness steps said."""

    kind: Literal["verdicts"] = "verdicts"
    steps: tuple[str, ...]


class Value(Message, contract="hustings.Value.v1"):
    """A constant."""

    kind: Literal["value"] = "value"
    value: JsonValue


Ref = Annotated[FromGoal | FromSteps | FromVerdicts | Value, Field(discriminator="kind")]


class Step(Message, contract="hustings.Step.v1"):
    """One skill at work. `agents` may do it, in order of preference; `each` names the parameter it fans out over.

    `optional` names the parameters that may be missing; `witness`: what it says is testimony; `spends`: its tasks need
    a share of the budget.
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
    """The steps, how the outcome's fields are bound, and what the planner has to say about its choices.

    `because` explains each binding under "STEP.PARAMETER" or "outcome.FIELD"; `skipped` says why an agent is not used;
    `absent` names the team's members that did not show up; `optional` names the outcome's fields that may be missing.
    """

    steps: tuple[Step, ...]
    outcome: dict[str, Ref]
    skipped: dict[str, str] = {}
    absent: tuple[str, ...] = ()
    because: dict[str, str] = {}
    optional: tuple[str, ...] = ()


def steps_of(refs: Mapping[str, Ref]) -> list[str]:
    """The steps that the references name."""
    return [name for ref in refs.values() if isinstance(ref, FromSteps | FromVerdicts) for name in ref.steps]
