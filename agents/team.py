"""Team: the specialists, their coordinator's policy, the goal and the outcome, as a value in a module."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Generic

from typing_extensions import TypeVar

from hustings.protocols import Goal, NotFound, Outcome, UsageError, token

from .decider.policy import Policy, TeamSettings
from .history.run_report import RunReport
from .models.rules import ModelRouter, ModelRule
from .skills.specialist import Specialist

Tell = Callable[[RunReport], str]
Files = Callable[[RunReport], Mapping[str, str]]
Apply = Callable[[RunReport, Mapping[str, Path]], str]
GoalT = TypeVar("GoalT", bound=Goal, default=Goal, covariant=True)
OutcomeT = TypeVar("OutcomeT", bound=Outcome, default=Outcome, covariant=True)


@dataclass(frozen=True)
class Team(TeamSettings, Generic[GoalT, OutcomeT]):
    """The specialists of a team, its goal and outcome, and how its coordinator plans and settles.

    docs/settings.md lists all settings with their units. Raises BadName; UsageError: a value is not of its setting's
    type, or out of bounds.
    """

    name: Annotated[str, "its name on the bus: letters, digits, `_` and `-`"]
    goal: Annotated[type[GoalT], "what a client asks for"]
    outcome: Annotated[type[OutcomeT], "what a run makes of it"]
    specialists: Annotated[Sequence[Specialist], "its members"] = ()
    models: Annotated[Sequence[ModelRule], "which models serve which skills; the first rule that fits counts"] = ()
    tell: Annotated[Tell | None, "makes a text for people of a report"] = None
    files: Annotated[Files, "the files that `hustings run` writes beside a report, by name"] = lambda _: {}
    apply: Annotated[Apply | None, "uses the outcome on the paths given for the goal's fields; says what it did"] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        token(self.name, "team's name")
        names = [specialist.name for specialist in self.specialists]
        if twice := {name for name in names if names.count(name) > 1}:
            raise UsageError(f"team {self.name} has two specialists named {', '.join(sorted(twice))}")

    @property
    def members(self) -> tuple[str, ...]:
        return tuple(specialist.name for specialist in self.specialists)

    def specialist(self, name: str) -> Specialist:
        """The member of that name. Raises NotFound."""
        for member in self.specialists:
            if member.name == name:
                return member
        raise NotFound(f"team {self.name} has no specialist {name}", f"it has {', '.join(self.members)}")

    def policy(self) -> Policy:
        """The part of the team that its coordinator needs."""
        settings = {each.name: getattr(self, each.name) for each in fields(TeamSettings)}
        served = ModelRouter(self.models, cheaper=self.exhausted == "cheaper").of
        return Policy(goal=self.goal, outcome=self.outcome, members=self.members, served=served, **settings)
