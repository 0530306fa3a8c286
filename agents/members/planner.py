"""model_planner: the planning specialist that asks a model, for the planner `by_model`."""

from ..planning.draft import DraftPlan, PlanRequest
from ..skills.context import TaskContext
from ..skills.specialist import Specialist

PLAN = """\
You plan the work of a team of specialists. You are given the goal, the fields that the outcome must have, and the
cards of the skills that there are: what each takes and what it says, by message types. Draw steps that lead from
the goal to the outcome, each one skill of one agent, and bind every parameter of a skill: to the goal or one of its
fields, to what other steps say, to the verdicts on what witnesses said, or to a value that you write yourself as
JSON. Types must fit exactly; a parameter that is a list takes what several steps say. A step may be drawn several
times with different values, under different ids. Let several witnesses look at the same thing: what they disagree
about is settled before anybody who takes verdicts. Name verdicts without steps to mean all witnesses before. Draw
no step that nothing needs. Where `faults` gives reasons, your earlier plan had those faults: draw it anew without
them."""


def model_planner(name: str = "planner", instructions: str = PLAN) -> Specialist:
    """A planning specialist that asks a model. The team's policy chooses the model."""
    planner = Specialist(name, "plans the work of the team")

    @planner.skill
    async def plan(request: PlanRequest, context: TaskContext) -> DraftPlan:
        """Draw a plan from the goal to the outcome."""
        return await context.model(DraftPlan, instructions=instructions, material=request, max_tokens=8192)

    return planner
