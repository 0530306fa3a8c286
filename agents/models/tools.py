"""Tool: what a model may call: a function of the specialist, another agent's skill, or a tool of an MCP server."""

import inspect
import typing
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from inspect import Parameter, isawaitable, iscoroutinefunction
from typing import Any

from anyio.to_thread import run_sync
from pydantic import BaseModel, ConfigDict, JsonValue, PydanticUserError, ValidationError, create_model
from pydantic_core import to_jsonable_python

from hustings.protocols import BadSkill, Data, NonRetryableError
from hustings.protocols.validation import first_error


@dataclass(frozen=True)
class Tool:
    """Something that a model may call. `inputs` is the JSON Schema of its input, an object.

    `acts`: it changes something outside. Such a tool cannot be called in a conversation that has seen text by others,
    because that text might have caused the call. `untrusted`: its name and description are text by others.
    """

    name: str
    description: str
    inputs: Data
    call: Callable[[Data], Awaitable[JsonValue]]
    acts: bool = False
    untrusted: bool = False


def tool(function: Callable[..., Any], *, acts: bool = False) -> Tool:
    """A function as a tool: it takes name and description from the function, the schema from its annotations.

    A function that is not async runs in a worker thread. Its input is checked before the call; a NonRetryableError that
    it raises is shown to the model. Raises BadSkill if an annotation is missing or has no JSON Schema.
    """
    name = function.__name__
    inputs = _input(function, name)

    async def call(given: Data) -> JsonValue:
        try:
            checked = inputs.model_validate(given)
        except ValidationError as error:
            raise NonRetryableError(first_error(error)) from None
        arguments = {field: getattr(checked, field) for field in inputs.model_fields}
        if iscoroutinefunction(function):
            said = await function(**arguments)
        else:
            said = await run_sync(partial(function, **arguments), abandon_on_cancel=True)
            said = await said if isawaitable(said) else said
        plain: JsonValue = to_jsonable_python(said)
        return plain

    return Tool(name, inspect.getdoc(function) or "", inputs.model_json_schema(), call, acts)


def _input(function: Callable[..., Any], name: str) -> type[BaseModel]:
    hints = typing.get_type_hints(function)
    parameters = inspect.signature(function).parameters
    missing = [each for each in parameters if each not in hints]
    if missing:
        raise BadSkill(f"the tool {name} cannot take {missing[0]}", "it has no annotation", "Annotate it.")
    fields: dict[str, Any] = {each: (hints[each], _default(parameter)) for each, parameter in parameters.items()}
    try:
        made: type[BaseModel] = create_model(name, __config__=ConfigDict(extra="forbid"), **fields)
        made.model_json_schema()
    except PydanticUserError as error:
        raise BadSkill(f"the tool {name} cannot be offered to a model", str(error), "Use plain types.") from None
    return made


def _default(parameter: Parameter) -> object:
    return ... if parameter.default is Parameter.empty else parameter.default
