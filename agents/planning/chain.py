"""by_contract: the planner that chains skills backwards from the outcome's type, as pytest resolves fixtures."""

from collections.abc import Iterable, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from hustings.protocols import (
    OUTCOME,
    Contract,
    FromGoal,
    FromSteps,
    FromVerdicts,
    Plan,
    PlanError,
    Ref,
    SkillCard,
    Step,
    Verdict,
)
from hustings.protocols.plans import steps_of

from .planner import Brief, contracts


def by_contract(brief: Brief) -> Plan:
    """Chain skills backwards from the outcome's fields, as pytest resolves fixtures.

    Raises PlanError: no skill can fill a field, two skills could fill it, or witnesses wait for each other.
    """
    return _Chain(brief).plan()


class Unfilled(PlanError):
    """No skill can fill a field of the outcome. With fewer skills none could, either."""

    try_this = "Give a specialist a skill that returns it, or make the field optional."


class _Unfed(Exception):
    """A parameter that nothing can fill; the text says why. Its skill is then unusable, but not the plan."""


class _Binding(NamedTuple):
    ref: Ref
    because: str
    each: bool = False


class _Chain:
    """One pass of chaining: the steps found so far, and the reasons for them."""

    def __init__(self, brief: Brief) -> None:
        self.brief = brief
        self.goal_fields = contracts(brief.goal_type)
        self.steps: dict[str, Step] = {}
        self.because: dict[str, str] = {}
        self.skipped: dict[str, str] = {}
        self.cards = [card for card in sorted(brief.directory.cards, key=_key) if self._usable(card)]

    def _usable(self, card: SkillCard) -> bool:
        if card.agent not in self.brief.directory.alive:
            return False
        if self.brief.open or card.agent in self.brief.members:
            return True
        self.skipped[_key(card)] = "the team admits members only"
        return False

    def plan(self) -> Plan:
        outcome, optional = self._outcome()
        ends = [name for ref in outcome.values() if isinstance(ref, FromSteps) for name in ref.steps]
        self._prune(ends)
        if self._has_barriers(outcome):
            self._prune([*ends, *self._witnesses()])
        self._raise_barriers(outcome)
        self._explain_unused()
        return Plan(
            steps=tuple(self.steps[name] for name in self._in_order()),
            outcome=outcome,
            skipped=self.skipped,
            absent=self.brief.absent(),
            because=self.because,
            optional=optional,
        )

    # binding

    def _outcome(self) -> tuple[dict[str, Ref], tuple[str, ...]]:
        wanted = contracts(self.brief.outcome_type)
        unfit = [
            name
            for name, field in self.brief.outcome_type.model_fields.items()
            if name not in wanted and field.is_required()
        ]
        if unfit:
            raise PlanError(
                f"outcome.{unfit[0]} cannot be planned for",
                "an outcome's fields are messages or lists of messages",
                "Put it into a Message that a skill returns, or give it a default.",
            )
        bound: dict[str, Ref] = {}
        for name, contract in wanted.items():
            try:
                binding = self._bind(name, contract, ())
            except _Unfed as reason:
                if contract.optional:
                    self.because[f"outcome.{name}"] = f"left out: {reason}"
                    continue
                absent = self.brief.absent()
                why = f"{reason}; absent: {', '.join(absent)}" if absent else str(reason)
                hint = "Start the agents that are absent." if absent else ""
                raise Unfilled(f"no skill can fill outcome.{name} ({contract.type})", why, hint) from None
            if binding.each and not contract.many:
                raise PlanError(
                    f"outcome.{name} is one {contract.type}",
                    "but there will be one for each element of a list",
                    "Make the field a list, or add a skill that takes the list and returns one.",
                )
            bound[name] = binding.ref
            self.because[f"outcome.{name}"] = binding.because
        return bound, tuple(name for name, contract in wanted.items() if contract.optional)

    def _bind(self, name: str, wanted: Contract, trail: tuple[str, ...]) -> _Binding:
        if wanted.type == Verdict.__contract__ and wanted.many:
            return _Binding(FromVerdicts(steps=()), "")
        return self._from_goal(name, wanted) or (
            self._from_all(wanted, trail) if wanted.many else self._from_one(wanted, trail)
        )

    def _from_goal(self, name: str, wanted: Contract) -> _Binding | None:
        if self.brief.goal_type.__contract__ == wanted.type and not wanted.many:
            return _Binding(FromGoal(), "the goal itself")
        fitting = [
            field
            for field, contract in self.goal_fields.items()
            if contract.type == wanted.type and contract.many == wanted.many
        ]
        if len(fitting) > 1:
            fitting = [field for field in fitting if field == name]
        if fitting:
            return _Binding(FromGoal(field=fitting[0]), f"the goal's field {fitting[0]}")
        return None

    def _from_all(self, wanted: Contract, trail: tuple[str, ...]) -> _Binding:
        steps = []
        for card in self._sayers(wanted.type, trail):
            try:
                steps.append(self._tried((card,), trail))
            except _Unfed as reason:
                self.skipped[_key(card)] = str(reason)
        if not steps:
            raise _Unfed(f"no skill returns {wanted.type}")
        return _Binding(
            FromSteps(steps=tuple(steps), many=True),
            f"one step per agent that returns {wanted.type}: {', '.join(steps)}",
        )

    def _from_one(self, wanted: Contract, trail: tuple[str, ...]) -> _Binding:
        choices: list[str] = []
        reasons: list[str] = []
        for group in self._groups(self._sayers(wanted.type, trail)):
            try:
                choices.append(self._tried(group, trail))
            except _Unfed as reason:
                reasons.append(f"{_key(group[0])}: {reason}")
                self.skipped.update({_key(card): str(reason) for card in group})
        if choices:
            chosen = self._choose(wanted.type, choices)
            return _Binding(FromSteps(steps=(chosen,)), f"returned by {chosen}", each=self.steps[chosen].many)
        fields = [field for field, contract in self.goal_fields.items() if contract.type == wanted.type]
        for field in fields:
            if self.goal_fields[field].many:
                return _Binding(FromGoal(field=field), f"each of the goal's {field}", each=True)
        if fields:
            reasons.append(f"the goal's fields {' and '.join(fields)} both fit, and neither has the parameter's name")
        raise _Unfed("; ".join(reasons) or f"no skill returns {wanted.type}")

    def _sayers(self, contract: str, trail: tuple[str, ...]) -> list[SkillCard]:
        return [card for card in self.cards if card.output.type == contract and _key(card) not in trail]

    def _groups(self, cards: Iterable[SkillCard]) -> list[tuple[SkillCard, ...]]:
        """Agents that offer the same skill are interchangeable, except witnesses: every witness is heard."""
        groups: dict[tuple[object, ...], list[SkillCard]] = {}
        for card in cards:
            same = (card.agent,) if card.witness else ()
            groups.setdefault((card.name, card.output, frozenset(card.inputs.items()), *same), []).append(card)
        return [tuple(sorted(group, key=self._rank)) for group in groups.values()]

    def _rank(self, card: SkillCard) -> tuple[int, bool, str]:
        prefer = self.brief.prefer
        place = prefer.index(card.agent) if card.agent in prefer else len(prefer)
        return (place, card.agent not in self.brief.members, card.agent)

    def _choose(self, contract: str, steps: list[str]) -> str:
        """Choose between different skills that could fill a parameter: members first, then the team's `prefer`."""
        own = [step for step in steps if set(self.steps[step].agents) & set(self.brief.members)] or steps
        preferred = [step for name in self.brief.prefer for step in own if name in self.steps[step].agents]
        if len(own) > 1 and not preferred:
            raise PlanError(
                f"two skills could return {contract}",
                f"{' and '.join(own)}",
                "Name the agent to prefer in the team's `prefer`.",
            )
        chosen = (preferred or own)[0]
        for step in steps:
            if step != chosen:
                for agent in self.steps[step].agents:
                    self.skipped[f"{agent}.{self.steps[step].skill}"] = f"{chosen} returns {contract} already"
        return chosen

    def _tried(self, group: Sequence[SkillCard], trail: tuple[str, ...]) -> str:
        """As `_step`, but an outsider's skill that cannot be planned is only skipped; the plan goes on without it."""
        try:
            return self._step(group, trail)
        except PlanError as error:
            if any(card.agent in self.brief.members for card in group):
                raise
            raise _Unfed(str(error)) from None

    def _step(self, group: Sequence[SkillCard], trail: tuple[str, ...]) -> str:
        card = group[0]
        step = f"{card.agent}-{card.name}"
        if step in self.steps:
            return step
        bindings = {}
        for name, wanted in card.inputs.items():
            try:
                bindings[name] = self._bind(name, wanted, (*trail, _key(card)))
            except _Unfed:
                if not wanted.optional:
                    raise
                self.because[f"{step}.{name}"] = f"left out: no skill returns {wanted.type}"
        fans = [name for name, binding in bindings.items() if binding.each]
        if len(fans) > 1:
            raise PlanError(
                f"{step} would fan out over {' and '.join(fans)}",
                "a step can take one list element by element",
                "Let its skill take one of them as a list.",
            )
        self.because.update({f"{step}.{name}": binding.because for name, binding in bindings.items()})
        self.steps[step] = Step(
            id=step,
            skill=card.name,
            inputs={name: _as_list(binding) for name, binding in bindings.items()},
            agents=tuple(member.agent for member in group),
            each=fans[0] if fans else None,
            many=card.output.many or bool(fans),
            optional=tuple(name for name, wanted in card.inputs.items() if wanted.optional),
            witness=card.witness,
            spends=any(member.spends for member in group),
        )
        return step

    def _prune(self, ends: Iterable[str]) -> None:
        """Remove steps that were tried and not chosen: keep only those that lead to one of the ends."""
        needed = {*ends, *(root for end in ends for root in self._roots(end))}
        self.steps = {name: step for name, step in self.steps.items() if name in needed}

    # barriers

    def _has_barriers(self, outcome: dict[str, Ref]) -> bool:
        refs = [ref for step in self.steps.values() for ref in step.inputs.values()]
        return any(isinstance(ref, FromVerdicts) for ref in (*refs, *outcome.values()))

    def _witnesses(self) -> list[str]:
        """Plan every witness that can be planned: it is heard at a barrier even if no step takes its output."""
        found = []
        for card in self.cards:
            if card.witness:
                try:
                    found.append(self._tried((card,), ()))
                except _Unfed as reason:
                    self.skipped[_key(card)] = str(reason)
        return found

    def _raise_barriers(self, outcome: dict[str, Ref]) -> None:
        """Make each step that takes verdicts wait for all witnesses that do not depend on it."""
        witnesses = [name for name in self.steps if self.steps[name].witness]
        for name, step in list(self.steps.items()):
            takers = [key for key, ref in step.inputs.items() if isinstance(ref, FromVerdicts)]
            if takers:
                heard = tuple(w for w in witnesses if w != name and name not in self._roots(w))
                inputs = {**step.inputs, **dict.fromkeys(takers, FromVerdicts(steps=heard))}
                self.steps[name] = step.model_copy(update={"inputs": inputs})
                self.because.update({f"{name}.{key}": _heard(heard) for key in takers})
        for key, ref in outcome.items():
            if isinstance(ref, FromVerdicts):
                outcome[key] = FromVerdicts(steps=tuple(witnesses))
                self.because[f"outcome.{key}"] = _heard(witnesses)

    def _roots(self, step: str) -> set[str]:
        found: set[str] = set()
        front = [step]
        while front:
            for need in _fed_by(self.steps[front.pop()]):
                if need not in found:
                    found.add(need)
                    front.append(need)
        return found

    def _in_order(self) -> list[str]:
        try:
            needs = {name: steps_of(step.inputs) for name, step in self.steps.items()}
            return list(TopologicalSorter(needs).static_order())
        except CycleError as error:
            circle = [name for name in dict.fromkeys(error.args[1]) if _barrier(self.steps[name])] or error.args[1]
            raise PlanError(
                f"{' and '.join(circle)} wait for each other",
                "each takes the verdicts on what the other leads to",
                "Let one of them take no verdicts.",
            ) from None

    def _explain_unused(self) -> None:
        used = {f"{agent}.{step.skill}" for step in self.steps.values() for agent in step.agents}
        idle = {_key(card): f"nothing in the plan takes {card.output.type}" for card in self.cards}
        reasons = {**idle, **self.skipped}
        self.skipped = {skill: reason for skill, reason in reasons.items() if skill not in used}
        kept = {*self.steps, OUTCOME}
        self.because = {place: why for place, why in self.because.items() if place.partition(".")[0] in kept}


def _key(card: SkillCard) -> str:
    return f"{card.agent}.{card.name}"


def _as_list(binding: _Binding) -> Ref:
    if binding.each and isinstance(binding.ref, FromSteps):
        return binding.ref.model_copy(update={"many": True})
    return binding.ref


def _fed_by(step: Step) -> list[str]:
    return [name for ref in step.inputs.values() if isinstance(ref, FromSteps) for name in ref.steps]


def _barrier(step: Step) -> list[str]:
    return [name for ref in step.inputs.values() if isinstance(ref, FromVerdicts) for name in ref.steps]


def _heard(witnesses: Sequence[str]) -> str:
    return (
        f"the verdicts on the testimony of {', '.join(witnesses)}"
        if witnesses
        else "there is no witness, so there will be no verdicts"
    )
