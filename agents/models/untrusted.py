"""Untrusted: text from a task's input never becomes an instruction."""

from collections.abc import Iterator

from pydantic import JsonValue

from hustings.protocols import PromptInjectionError

LONG = 24  # a text this long that recurs in instructions is no coincidence


def instructing(instructions: object, given: JsonValue) -> str:
    """The instructions, if they are the specialist's own.

    Raises PromptInjectionError: they are Untrusted, or contain text from the task's input."""
    if not isinstance(instructions, str):
        raise PromptInjectionError(
            "instructions are a specialist's own words", f"these are {type(instructions).__name__}"
        )
    for text in _texts(given):
        if len(text) >= LONG and text in instructions:
            raise PromptInjectionError(
                "the instructions contain text from the task's input", f"it begins {text[:20]!r}"
            )
    return instructions


def _texts(given: JsonValue) -> Iterator[str]:
    if isinstance(given, str):
        yield given
    for each in given.values() if isinstance(given, dict) else given if isinstance(given, list) else ():
        yield from _texts(each)
