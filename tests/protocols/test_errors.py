"""Errors: one tree; each class says what happened, what to try, and how the command exits."""

import inspect

import pytest

from hustings import protocols
from hustings.protocols import BadName, BrokerUnavailable, BusError, HustingsError, UsageError

TREE = [each for each in vars(protocols).values() if inspect.isclass(each) and issubclass(each, HustingsError)]


def exits(error: type[HustingsError]) -> int:
    """As designed: 2 usage, 3 left to a person, 4 a proof does not hold, 6 no broker, 7 partial, 1 whatever else."""
    if issubclass(error, UsageError):
        return 2
    if issubclass(error, BrokerUnavailable):
        return 6
    return {"RunPartial": 7, "RunUndecided": 3, "Unproved": 4}.get(error.__name__, 1)


@pytest.mark.parametrize("error", TREE, ids=lambda error: error.__name__)
def test_every_error_says_what_it_is_and_what_to_try(error: type[HustingsError]) -> None:
    """Each class has a docstring and a hint of its own, in whole sentences, and the exit code of the design."""
    assert issubclass(error, HustingsError)
    for text in (vars(error)["__doc__"], vars(error)["try_this"]):
        assert text[0].isupper()
        assert text.endswith(".")
    assert error.__doc__ != error.try_this
    assert all((error.__doc__, error.try_this) != (each.__doc__, each.try_this) for each in TREE if each is not error)
    assert error("it broke").hint == error.try_this
    assert error("it broke").exit_code == exits(error)


def test_the_tree_is_whole() -> None:
    """Every error of the module is at the front door."""
    module = inspect.getmodule(HustingsError)
    assert module is not None
    defined = {name for name, each in vars(module).items() if inspect.isclass(each) and issubclass(each, Exception)}
    assert defined == {error.__name__ for error in TREE}
    assert {error for error in TREE if issubclass(error, BusError)} > {BusError, BrokerUnavailable}


def test_an_error_says_what_and_why_and_may_have_a_better_hint() -> None:
    """What, why, and what to try; the class's `try_this` unless a better hint is given."""
    plain, told = HustingsError("it broke"), BadName("it broke", "it was glass", hint="Use steel.")
    assert (str(plain), plain.why, plain.hint) == ("it broke", "", HustingsError.try_this)
    assert (str(told), told.what, told.why, told.hint) == (
        "it broke: it was glass",
        "it broke",
        "it was glass",
        "Use steel.",
    )
