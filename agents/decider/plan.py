"""Planning: the plan of a run, from the team's planner or from a redrive. A part of the pure decider."""

from collections.abc import Iterator

from pydantic import ValidationError

from hustings.protocols import Decision, FromSteps, GoalAsked, Inquiry, Plan, PlanError, Planned, Step, Value
from hustings.protocols.validation import first_error

from ..planning.planner import Brief
from ..planning.validate import faults, too_deep
from .conclusion import concluded_event
from .inquiries import inquire, look_up
from .turn import Turn


def planning(turn: Turn) -> Iterator[Decision]:
    """The plan, the planner's inquiry, or the end of a run that cannot be planned; nothing while members are absent."""
    if turn.goal.again:
        yield _planned_event(turn, _again(turn.goal))
    elif wrong := _misfit(turn):
        yield concluded_event(turn, "failed", wrong)
    else:
        yield from _by_planner(turn)


def _by_planner(turn: Turn) -> list[Decision]:
    state, policy, view = turn.state, turn.policy, turn.view
    brief = Brief(
        goal=turn.goal.goal,
        goal_type=policy.goal,
        outcome_type=policy.outcome,
        directory=view.directory,
        members=tuple(member for member in policy.members if member not in turn.goal.skip),
        prefer=tuple(policy.prefer),
        open=policy.open,
        answer=look_up(turn),
        budget=turn.budget,
    )
    if brief.absent() and view.now < state.driving_since + policy.discovery_timeout:
        return []
    try:
        plan = policy.planner(brief)
        if isinstance(plan, Inquiry):
            return [*inquire(turn, [plan], "plan", state.driving_since)]
        if not isinstance(plan, Plan):
            raise PlanError("there is no plan", f"the planner gave a {type(plan).__name__}")
        if reasons := faults(plan) or [*filter(None, [too_deep(plan, brief.budget)])]:
            raise PlanError("the plan cannot be carried out", "; ".join(reasons))
    except PlanError as error:
        return [concluded_event(turn, "failed", str(error), brief.absent())]
    return [_planned_event(turn, plan)]


def _again(goal: GoalAsked) -> Plan:
    """The plan of a redrive: one step for each task, with the same input and the same agent as before."""
    steps = tuple(
        Step(
            id=task.task,
            skill=task.skill,
            inputs={name: Value(value=value) for name, value in task.input.items()},
            agents=(task.agent,),
        )
        for task in goal.again
    )
    outcome = {step.id: FromSteps(steps=(step.id,)) for step in steps}
    return Plan(steps=steps, outcome={**outcome}, optional=tuple(outcome))


def _misfit(turn: Turn) -> str:
    """Why the team cannot pursue this goal; empty if it can."""
    wanted, goal = turn.policy.goal, turn.goal
    if goal.type != wanted.__contract__:
        return f"this team takes the goal {wanted.__contract__}, not {goal.type}"
    try:
        wanted.of(goal.goal)
    except ValidationError as error:
        return f"the goal does not fit: {first_error(error)}"
    return ""


def _planned_event(turn: Turn, plan: Plan) -> Planned:
    """The plan, with what the view says about its agents and skills."""
    named = {agent for step in plan.steps for agent in step.agents}
    skills, directory = {step.skill for step in plan.steps}, turn.view.directory
    return Planned(
        plan=plan,
        versions={card.agent: card.version for card in directory.cards if card.agent in named},
        typical={skill: seconds for skill, seconds in directory.typical.items() if skill in skills},
    )
