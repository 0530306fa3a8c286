"""Specialist: an agent that offers skills. It is a plain value; importing one has no effect."""

import inspect
import typing
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import _lru_cache_wrapper, partial
from typing import Annotated, Any, NamedTuple, TypeVar, get_args, get_origin, overload

from hustings.protocols import (
    COORDINATOR,
    AgentCard,
    BadName,
    BadSkill,
    Contract,
    Message,
    RetryPolicy,
    SkillCard,
    Testimony,
)
from hustings.protocols.message import shape
from hustings.protocols.subjects import token

from ..settings import Asks, MaybeSeconds, check
from .context import TaskContext

Handler = TypeVar("Handler", bound=Callable[..., object])
Lifespan = Callable[[], AbstractAsyncContextManager[object]]


class Parameter(NamedTuple):
    """One parameter of a skill: its message class and contract.

    `default` is its value if nothing is given; `together` turns a list of messages into the sequence that it takes.
    """

    message: type[Message]
    contract: Contract
    default: object = None
    together: Callable[[Iterable[Message]], object] = list

    def __str__(self) -> str:
        return f"list[{self.message.__name__}]" if self.contract.many else self.message.__name__


@dataclass(frozen=True, kw_only=True)
class SkillSettings:
    """What `@agent.skill(...)` lays down for one skill. Raises UsageError: a value is out of bounds."""

    retry: Annotated[RetryPolicy | None, "how its failed tasks are retried, instead of as the team says"] = None
    timeout: Annotated[
        MaybeSeconds, "how long it may work on one attempt; the time in the work queue does not count"
    ] = None

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Skill:
    """A typed function that an agent offers. `context` is the name of its TaskContext parameter, if it has one.

    `ahead` are the positional-only parameters.
    """

    name: str
    handler: Callable[..., object]
    inputs: dict[str, Parameter]
    output: Parameter
    context: str | None
    description: str
    ahead: tuple[inspect.Parameter, ...] = ()
    settings: SkillSettings = SkillSettings()

    @property
    def blocks(self) -> bool:
        """A function that is not async may block, so it runs in a thread; its result may be awaitable."""
        return not inspect.iscoroutinefunction(self.function)

    def call(self, given: Mapping[str, object]) -> Callable[[], object]:
        """The call of the function with these arguments, not yet made."""
        ahead = {each.name: given.get(each.name, each.default) for each in self.ahead}
        return partial(self.handler, *ahead.values(), **{name: given[name] for name in given if name not in ahead})

    @property
    def function(self) -> Callable[..., object]:
        """The function that has the annotations, inside of partials and callable objects."""
        return _function(self.handler)

    @property
    def witness(self) -> bool:
        """A skill that returns Testimony, or a subclass of it, is a witness."""
        return issubclass(self.output.message, Testimony)

    def fits(self, asks: Asks) -> bool:
        """Whether it can be asked so. It may take more: the coordinator binds that by contract."""
        return _same(asks.annotation, self.inputs.get(asks.parameter)) and _same(asks.returns, self.output)

    def __str__(self) -> str:
        inputs = ", ".join(f"{name}: {parameter}" for name, parameter in self.inputs.items())
        return f"{self.name}({inputs}) -> {self.output}"

    def card(self, agent: str, version: str, *, spends: bool = True) -> SkillCard:
        return SkillCard(
            agent=agent,
            version=version,
            name=self.name,
            inputs={name: parameter.contract for name, parameter in self.inputs.items()},
            output=self.output.contract,
            witness=self.witness,
            description=self.description,
            spends=spends and self.context is not None,  # a skill without a context cannot spend
            retry=self.settings.retry,
            timeout=self.settings.timeout,
        )


class Specialist:
    """An agent that offers skills.

    `max_concurrent_tasks`: how many tasks one process works on at once. `lifespan`: an async context manager entered
    before the first task and left after the last, for what the skills share. `spends` False: its skills call no model
    and spend nothing, so no share of a budget is reserved for them. Raises BadName if the name cannot be a subject's
    token, or is the coordinator's.
    """

    def __init__(
        self,
        name: Annotated[str, "its name on the bus: letters, digits, `_` and `-`"],
        description: Annotated[str, "what it is for, as planners and people read it"] = "",
        *,
        version: Annotated[str, "the version of its code, as `hustings dead redrive --newer` compares it"] = "1.0.0",
        max_concurrent_tasks: Annotated[int, "how many tasks one process works on at once"] = 10,
        lifespan: Annotated[Lifespan, "what its skills share: entered before the first task"] = nullcontext,
        spends: Annotated[bool, "whether its skills may spend of a budget"] = True,
    ) -> None:
        self.name = _free(token(name, "specialist's name"))
        self.description = description
        self.version = version
        self.max_concurrent_tasks = max_concurrent_tasks
        self.lifespan = lifespan
        self.spends = spends
        self.skills: dict[str, Skill] = {}

    @overload
    def skill(
        self, handler: Handler, /, *, retry: RetryPolicy | None = None, timeout: float | None = None
    ) -> Handler: ...
    @overload
    def skill(
        self, /, *, retry: RetryPolicy | None = None, timeout: float | None = None
    ) -> Callable[[Handler], Handler]: ...
    def skill(
        self, handler: Handler | None = None, /, *, retry: RetryPolicy | None = None, timeout: float | None = None
    ) -> Handler | Callable[[Handler], Handler]:
        """Offer a function, a bound method or another callable as a skill; it is returned unchanged.

        `retry` says how its failed tasks are retried, in place of the team's `retry`. `timeout`: the seconds that it
        may work on one attempt; then it is cancelled, and the attempt has failed. `@clerk.skill` and `@clerk.skill()`
        do the same.

        Its parameters are Messages or lists, tuples or Sequences of Messages, and at most one TaskContext. Those that
        are `M | None`, or have a default, are optional. A parameter of another type keeps its default and is no input.
        It returns a Message or a list of them. A function that is not async runs in a worker thread; an awaitable
        result is awaited. A result of another type is an error like one that the function raises: the attempt has
        failed, and the next one may do better, above all if a model is behind it. Raises BadSkill; UsageError: `retry`
        or `timeout` is out of bounds.
        """
        settings = SkillSettings(retry=retry, timeout=timeout)
        return partial(self._offer, settings) if handler is None else self._offer(settings, handler)

    def _offer(self, settings: SkillSettings, handler: Handler) -> Handler:
        skill = replace(_read(handler), settings=settings)
        if skill.name in self.skills:
            raise BadSkill(
                f"{self.name} has two skills named {skill.name}", hint="Give one of the functions another name."
            )
        self.skills[skill.name] = skill
        return handler

    def card(self) -> AgentCard:
        """The agent's card, with the JSON Schema of every message that it takes or returns."""
        skills = self.skills.values()
        messages = [p.message for skill in skills for p in (*skill.inputs.values(), skill.output)]
        return AgentCard(
            name=self.name,
            version=self.version,
            description=self.description,
            skills=tuple(skill.card(self.name, self.version, spends=self.spends) for skill in skills),
            schemas={message.__contract__: message.model_json_schema(by_alias=False) for message in messages},
        )

    def __repr__(self) -> str:
        return f"Specialist({self.name!r}, skills={list(self.skills)})"


def _free(name: str) -> str:
    if name == COORDINATOR:
        why = "the team's coordinator writes to the log under this name"
        raise BadName(f"a specialist cannot be named {name}", why, "Give it another name.")
    return name


def _read(handler: Callable[..., object]) -> Skill:
    name, function = _name(handler), _function(handler)
    _refuse(name, handler, function)
    try:
        hints = typing.get_type_hints(function)
        parameters = inspect.signature(handler).parameters
    except (NameError, TypeError, ValueError) as error:
        raise BadSkill(f"the annotations of {name} cannot be read", str(error)) from None
    contexts = [each for each in parameters if hints.get(each) in (TaskContext, TaskContext | None)]
    if len(contexts) > 1:
        raise BadSkill(f"{name} takes {len(contexts)} contexts", f"one is enough: {', '.join(contexts)}")
    inputs = {each.name: _parameter(name, each, hints) for each in parameters.values() if each.name not in contexts}
    return Skill(
        name=token(name, "skill's name"),
        handler=handler,
        inputs={each: parameter for each, parameter in inputs.items() if parameter},
        output=_output(name, hints.get("return")),
        context=contexts[0] if contexts else None,
        description=(inspect.getdoc(handler) or "").partition("\n")[0],
        ahead=tuple(each for each in parameters.values() if each.kind is each.POSITIONAL_ONLY),
    )


def _name(handler: Callable[..., object]) -> str:
    """The name of the function, also behind a partial; of another callable the name of its class."""
    while isinstance(handler, partial):
        handler = handler.func
    name = getattr(handler, "__name__", type(handler).__name__)
    if name == "<lambda>":
        raise BadSkill("a lambda cannot be a skill", "it has no name and no annotations", "Write it as a function.")
    return str(name)


def _function(handler: Callable[..., object]) -> Callable[..., Any]:
    """The object that has the annotations and is async or not."""
    while isinstance(handler, partial):
        handler = handler.func
    if inspect.isroutine(handler) or inspect.isclass(handler) or hasattr(handler, "__wrapped__"):
        return handler
    return type(handler).__call__


def _refuse(name: str, handler: Callable[..., object], function: Callable[..., object]) -> None:
    """Raise BadSkill for what cannot work, whatever its annotations are."""
    if not callable(handler):
        raise BadSkill(f"{handler!r} cannot be a skill", "it cannot be called", "Offer a function.")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        why = "a skill returns its whole answer at once"
        raise BadSkill(f"{name} is a generator", why, "Return a list, and annotate it as `list[M]`.")
    if isinstance(handler, _lru_cache_wrapper) and inspect.iscoroutinefunction(handler.__wrapped__):
        why = "the cache would keep its coroutine, which can be awaited only once"
        raise BadSkill(f"{name} cannot be cached", why, "Leave out `cache`, or keep what it returns in a dict.")


def _parameter(skill: str, parameter: inspect.Parameter, hints: Mapping[str, Any]) -> Parameter | None:
    """None for a parameter that is no input: its type is not a message, and it keeps its default."""
    annotation, optional = hints.get(parameter.name), parameter.default is not parameter.empty
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        raise BadSkill(
            f"{skill} cannot take {str(parameter).partition(':')[0]}",
            "each parameter of a skill is bound by its name",
            "Name them one by one, or take a `list[M]`; a decorator needs `functools.wraps`.",
        )
    if shaped := shape(annotation):
        message, contract = shaped
        contract = contract.model_copy(update={"optional": True}) if optional else contract
        return Parameter(message, contract, parameter.default if optional else None, _together(annotation))
    if optional and not _mentions_message(annotation):
        return None
    hint = (
        "Annotate it with a Message, or a list or tuple of one kind of Message; or give it a default, which it keeps."
    )
    if parameter.name == "self":
        hint = f"Offer the method of an object: `skill(OBJECT.{skill})`."
    raise BadSkill(
        f"{skill} cannot take the parameter {parameter.name}", f"its annotation is {_named(annotation)}", hint
    )


def _same(wanted: object, there: Parameter | None) -> bool:
    """Whether the parameter has this type, or a subclass of it."""
    shaped = shape(wanted)
    if shaped is None or there is None:
        return False
    message, contract = shaped
    related = issubclass(there.message, message) or there.contract.type == contract.type
    return related and there.contract.many == contract.many


def _together(annotation: object) -> Callable[[Iterable[Message]], object]:
    origins = [get_origin(each) for each in (annotation, *get_args(annotation))]
    return tuple if tuple in origins else list


def _mentions_message(annotation: object) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, Message):
        return True
    return any(map(_mentions_message, get_args(annotation)))


def _output(skill: str, annotation: object) -> Parameter:
    if get_origin(annotation) in (Awaitable, Coroutine):
        annotation = get_args(annotation)[-1]
    shaped = shape(annotation)
    if shaped is None or shaped[1].optional:
        raise BadSkill(
            f"the return type of {skill} cannot be sent",
            f"its return annotation is {_named(annotation)}",
            "Annotate it with a Message, or a list of them; if there may be nothing to return, use a list.",
        )
    return Parameter(*shaped)


def _named(annotation: object) -> str:
    if annotation is None:
        return "missing"
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)
