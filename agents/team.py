"""Team: the specialists, their coordinator's policy, the goal and the outcome, as a value in a module."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Generic

from pydantic import Field
from typing_extensions import TypeVar

from hustings.protocols import Directory, Goal, Inquiry, NotFound, Outcome, Plan, PlanError, UsageError
from hustings.protocols.subjects import token

from .arbitration.docket import Arbiter
from .decider.policy import Policy, TeamSettings
from .history.run_report import RunReport
from .models.rules import ModelRouter, ModelRule
from .planning.chain import Unfilled, by_contract
from .planning.planner import Brief, Planner
from .settings import Asks, asked, did_you_mean, mentioned
from .skills.specialist import Specialist

Whom = Annotated[str, Field(pattern=r"^(\*|[\w*-]+\.[\w*-]+)$")]
Tell = Callable[[RunReport], str]
Files = Callable[[RunReport], Mapping[str, str]]
Apply = Callable[[RunReport, Mapping[str, Path]], str]
Prepare = Callable[[Goal, Mapping[str, Path]], Goal]
GoalT = TypeVar("GoalT", bound=Goal, default=Goal, covariant=True)
OutcomeT = TypeVar("OutcomeT", bound=Outcome, default=Outcome, covariant=True)


@dataclass(frozen=True)
class Team(TeamSettings, Generic[GoalT, OutcomeT]):
    """The specialists of a team, its goal and outcome, and how its coordinator plans and settles.

    docs/settings.md lists all settings with their units. Every skill and agent that a setting names has to be there
    when the team is made: planner and arbiters (if they were made by `by_model`, `verified` and the like, or note it by
    `mentions`), `prefer`, `models`. So give the specialists their skills first. What only a specialist of another team
    offers is not known then; name it in `outsiders`, as AGENT.SKILL. If nobody else may join, and every member has its
    skills here, by_contract must find a skill for each field of the outcome.

    Raises BadName; UsageError: a value is not of its setting's type, or out of bounds, or names what is not there.
    """

    name: Annotated[str, "its name on the bus: letters, digits, `_` and `-`"]
    goal: Annotated[type[GoalT], "what a client asks for"]
    outcome: Annotated[type[OutcomeT], "what a run makes of it"]
    specialists: Annotated[Sequence[Specialist], "its members"] = ()
    models: Annotated[Sequence[ModelRule], "which models serve which skills; the first rule that fits counts"] = ()
    outsiders: Annotated[Sequence[Whom], "what only other teams' specialists offer, as AGENT.SKILL (`*`: any)"] = ()
    tell: Annotated[Tell | None, "makes a text for people of a report"] = None
    files: Annotated[Files, "the files that `hustings run` writes beside a report, by name"] = lambda _: {}
    prepare: Annotated[Prepare | None, "completes a goal from the paths given for its fields, before it is sent"] = None
    apply: Annotated[Apply | None, "uses the outcome on the paths given for the goal's fields; says what it did"] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        token(self.name, "team's name")
        names = [specialist.name for specialist in self.specialists]
        if twice := {name for name in names if names.count(name) > 1}:
            raise UsageError(f"team {self.name} has two specialists named {', '.join(sorted(twice))}")
        if self.outsiders and not self.open:
            raise UsageError(f"team {self.name} has outsiders", "it is not open, so none can join", "Set open=True.")
        for setting, whom in self._named().items():
            for name in whom:
                self._check_name(setting, name)
        for setting, functions in (("planner", [self.planner]), ("arbiters", self.arbiters)):
            for asks in asked(*functions):
                self._check_asked(setting, asks)
        if self.specialists:
            self._check_outcome()

    def _named(self) -> dict[str, Iterable[str]]:
        """Whom each setting names, as AGENT.SKILL with wildcards."""
        return {
            "planner": mentioned(self.planner),
            "arbiters": mentioned(*self.arbiters),
            "prefer": [f"{agent}.*" for agent in self.prefer],
            "models": [rule.who for rule in self.models],
        }

    def _check_name(self, setting: str, name: str) -> None:
        """Raises UsageError: neither a member nor an outsider is meant."""
        skills = [f"{member.name}.{skill}" for member in self.specialists for skill in member.skills]
        known = [".", *(f"{member}." for member in self.members), *skills, *self.outsiders]
        if any(fnmatchcase(each, name) or fnmatchcase(name, each) for each in known):
            return
        agent, _, skill = name.rpartition(".")
        word, there = name, skills
        if agent == "*":
            word, there = skill, [each.partition(".")[2] for each in skills]
        elif skill == "*":
            word, there = agent, [*self.members]
        near = did_you_mean(word, there)
        raise UsageError(
            f"team {self.name} has no {'specialist' if skill == '*' else 'skill'} {word}",
            f"`{setting}` names it; there is {', '.join(sorted({*there})) or 'none'}",
            f'{near}If another team offers it, say so: outsiders=["{name}"].' if self.open else near,
        )

    def _check_asked(self, setting: str, asks: Asks) -> None:
        """Raises UsageError: each skill of that name takes or returns something else."""
        skills = [member.skills[asks.skill] for member in self.specialists if asks.skill in member.skills]
        outside = any(fnmatchcase(asks.skill, name.rpartition(".")[2]) for name in self.outsiders)
        if skills and not outside and not any(skill.fits(asks) for skill in skills):
            raise UsageError(
                f"{setting}: {asks.by} needs {asks}, but it is {' and '.join(map(str, skills))}",
                hint=f"Name a skill that fits: {asks.by}(SKILL).",
            )

    def _check_outcome(self) -> None:
        """Raises UsageError: no member can fill a field of the outcome, and nobody else may join."""
        if self.open or self.planner is not by_contract or not all(member.skills for member in self.specialists):
            return
        try:
            by_contract(brief_of(self, members_of(self)))
        except Unfilled as error:
            raise UsageError(f"team {self.name}: {error.what}", error.why, error.hint) from None
        except PlanError:
            return  # a run with fewer skills may have a plan: see `--skip`

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
        settings["planner"] = planner_of(self)
        return Policy(goal=self.goal, outcome=self.outcome, members=self.members, served=served, **settings)


def members_of(team: Team) -> Directory:
    """The directory in which all members are alive, and nobody else."""
    cards = tuple(
        skill.card(member.name, member.version, spends=member.spends)
        for member in team.specialists
        for skill in member.skills.values()
    )
    return Directory(cards=cards, alive=frozenset(team.members))


def planner_of(team: Team) -> Planner:
    """The team's planner. Its plan tells apart what nobody takes, and what no step uses but an arbiter may ask."""

    def planner(brief: Brief) -> Plan | Inquiry:
        plan = team.planner(brief)
        return _with_asked(plan, team.arbiters) if isinstance(plan, Plan) else plan

    return planner


def _with_asked(plan: Plan, arbiters: Sequence[Arbiter]) -> Plan:
    asked = {
        skill: str(getattr(arbiter, "__qualname__", type(arbiter).__name__)).partition(".")[0]  # or what made it
        for arbiter in arbiters
        for name in mentioned(arbiter)
        if not name.endswith(".*")  # whom a rule prefers, it does not ask
        for skill in plan.skipped
        if fnmatchcase(skill, name)
    }
    left = {skill: why for skill, why in plan.skipped.items() if skill not in asked}
    return plan.model_copy(update={"skipped": left, "asked": asked}) if asked else plan


def brief_of(team: Team, directory: Directory) -> Brief:
    """What a planner gets that plans for any goal of the team."""
    return Brief(
        goal={},
        goal_type=team.goal,
        outcome_type=team.outcome,
        directory=directory,
        members=team.members,
        prefer=tuple(team.prefer),
        open=team.open,
    )
