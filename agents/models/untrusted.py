"""What a task was given, which may be a stranger's text, never becomes an instruction."""

from collections.abc import Iterator

from pydantic import JsonValue

from hustings.protocols import PromptInjectionError

LONG = 24  # characters from which on a text that recurs in instructions is no coincidence


def instructing(instructions: object, given: JsonValue) -> str:
    """The instructions, if they are the specialist's own.

    Raises PromptInjectionError: they are Untrusted, or hold a text of what the task was given."""
    if not isinstance(instructions, str):
        raise PromptInjectionError(
            "instructions are a specialist's own words", f"these are {type(instructions).__name__}"
        )
    for text in _texts(given):
        if len(text) >= LONG and text in instructions:
            raise PromptInjectionError("the instructions hold text that the task was given", f"it begins {text[:20]!r}")
    return instructions


def _texts(given: JsonValue) -> Iterator[str]:
    if isinstance(given, str):
        yield given
    for each in given.values() if isinstance(given, dict) else given if isinstance(given, list) else ():
        yield from _texts(each)
