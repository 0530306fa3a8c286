"""Specialist: an agent that offers skills. A value to put in a list; importing one has no effect."""

import inspect
import typing
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from moot.protocols import (
    AgentCard,
    BadSkill,
    Contract,
    Message,
    SkillCard,
    Testimony,
    shape,
    token,
)

from .context import TaskContext

Handler = TypeVar("Handler", bound=Callable[..., object])
Lifespan = Callable[[], AbstractAsyncContextManager[object]]


class Parameter(NamedTuple):
    """One parameter of a skill: the message class it takes, and its contract."""

    message: type[Message]
    contract: Contract


@dataclass(frozen=True)
class Skill:
    """A typed function that an agent offers. `context` is the name of its TaskContext parameter, if it has one."""

    name: str
    handler: Callable[..., object]
    takes: dict[str, Parameter]
    says: Parameter
    context: str | None
    description: str

    @property
    def witness(self) -> bool:
        """A skill that returns Testimony, or a subclass of it, is a witness."""
        return issubclass(self.says.message, Testimony)

    def card(self, agent: str, version: str, *, spends: bool = True) -> SkillCard:
        return SkillCard(
            agent=agent,
            version=version,
            name=self.name,
            takes={name: parameter.contract for name, parameter in self.takes.items()},
            says=self.says.contract,
            witness=self.witness,
            description=self.description,
            spends=spends and self.context is not None,  # without a context it could not
        )


class Specialist:
    """An agent that offers skills.

    `hands`: how many tasks one process works on at once. `lifespan`: an async context manager that is entered before
    the first task and left after the last, for what the skills share. Not `spends`: its skills call no model and spend
    nothing of a budget, so that no part of one is kept for them. Raises BadName if the name cannot be a subject's
    token.
    """

    def __init__(
        self,
        name: str,
        description: str = "",
        *,
        version: str = "1.0.0",
        hands: int = 10,
        lifespan: Lifespan = nullcontext,
        spends: bool = True,
    ) -> None:
        self.name = token(name, "specialist's name")
        self.description = description
        self.version = version
        self.hands = hands
        self.lifespan = lifespan
        self.spends = spends
        self.skills: dict[str, Skill] = {}

    def skill(self, handler: Handler) -> Handler:
        """Offer a function, or a bound method, as a skill; it is returned unchanged.

        Its parameters are Messages or lists of Messages, optional ones `M | None`, and at most one TaskContext; it
        returns a Message or a list of them. A function that is not async runs in a worker thread. Raises BadSkill.
        """
        skill = _read(handler)
        if skill.name in self.skills:
            raise BadSkill(
                f"{self.name} has two skills named {skill.name}", hint="Give one of the functions another name."
            )
        self.skills[skill.name] = skill
        return handler

    def card(self) -> AgentCard:
        """What the agent says of itself, with the JSON Schema of every message that it takes or says."""
        skills = self.skills.values()
        messages = [p.message for skill in skills for p in (*skill.takes.values(), skill.says)]
        return AgentCard(
            name=self.name,
            version=self.version,
            description=self.description,
            skills=tuple(skill.card(self.name, self.version, spends=self.spends) for skill in skills),
            schemas={message.__contract__: message.model_json_schema(by_alias=False) for message in messages},
        )

    def __repr__(self) -> str:
        return f"Specialist({self.name!r}, skills={list(self.skills)})"


def _read(handler: Callable[..., object]) -> Skill:
    name = getattr(handler, "__name__", "")
    try:
        hints = typing.get_type_hints(handler)
        parameters = inspect.signature(handler).parameters
    except (NameError, TypeError, ValueError) as error:
        raise BadSkill(f"the annotations of {name or handler!r} cannot be read", str(error)) from None
    contexts = [each for each in parameters if hints.get(each) is TaskContext]
    if len(contexts) > 1:
        raise BadSkill(f"{name} takes {len(contexts)} contexts", f"one is enough: {', '.join(contexts)}")
    return Skill(
        name=token(name, "skill's name"),
        handler=handler,
        takes={each: _parameter(name, each, hints.get(each)) for each in parameters if each not in contexts},
        says=_says(name, hints.get("return")),
        context=contexts[0] if contexts else None,
        description=(inspect.getdoc(handler) or "").partition("\n")[0],
    )


def _parameter(skill: str, name: str, annotation: object) -> Parameter:
    shaped = shape(annotation)
    if shaped is None:
        raise BadSkill(f"{skill} cannot take the parameter {name}", f"its annotation is {_named(annotation)}")
    return Parameter(*shaped)


def _says(skill: str, annotation: object) -> Parameter:
    shaped = shape(annotation)
    if shaped is None or shaped[1].optional:
        raise BadSkill(f"{skill} cannot say what it returns", f"its return annotation is {_named(annotation)}")
    return Parameter(*shaped)


def _named(annotation: object) -> str:
    if annotation is None:
        return "missing"
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)
