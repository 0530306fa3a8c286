"""The framework's own messages as JSON: each contract with the JSON Schema of each of its fields.

`make api` writes messages.json anew, and test_public_api.py compares the two. `make release` compares the file with
that of the last release: within its major version a message may only get new fields that have a default.
"""

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

from pydantic import JsonValue

import hustings.agents
from hustings.protocols import Message

FILE = Path(__file__).with_name("messages.json")
Fields = dict[str, dict[str, JsonValue]]


def messages() -> dict[str, Fields]:
    """The fields of each message, by its contract."""
    for module in walk_packages(hustings.agents.__path__, "hustings.agents."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    ours = [
        each for each in _subclasses(Message) if each.__module__.startswith(("hustings.protocols", "hustings.agents"))
    ]
    return {each.__contract__: _fields(each) for each in ours if each.__contract__.startswith("hustings.")}


def written(found: dict[str, Fields]) -> str:
    """As JSON, with a line for each field, so that a review sees which one has changed."""
    blocks = [f"{json.dumps(contract)}: {{{','.join(_lines(found[contract]))}\n}}" for contract in sorted(found)]
    return "{\n" + ",\n".join(blocks) + "\n}\n"


def _lines(fields: Fields) -> Iterator[str]:
    for name, schema in fields.items():
        yield f"\n  {json.dumps(name)}: {json.dumps(schema, sort_keys=True)}"


def _subclasses(message: type[Message]) -> Iterator[type[Message]]:
    for each in message.__subclasses__():
        yield each
        yield from _subclasses(each)


def _fields(message: type[Message]) -> Fields:
    schema = message.model_json_schema(by_alias=False)
    shown, required = schema.get("properties", {}), schema.get("required", [])
    return {name: {"required": name in required, "schema": _bare(shown.get(name))} for name in message.model_fields}


def _bare(schema: JsonValue) -> JsonValue:
    """Without what is there for people."""
    if isinstance(schema, dict):
        return {key: _bare(value) for key, value in schema.items() if key not in ("title", "description")}
    return [_bare(each) for each in schema] if isinstance(schema, list) else schema
