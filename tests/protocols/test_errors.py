"""Errors: one tree; each class says what to do, and how the command exits."""

import inspect

import pytest

from hustings import protocols
from hustings.protocols import BadName, BrokerUnavailable, BusError, HustingsError, UsageError

TREE = [each for each in vars(protocols).values() if inspect.isclass(each) and issubclass(each, Exception)]


def exits(error: type[HustingsError]) -> int:
    """As designed: 2 usage, 4 a proof does not hold, 6 no broker, 1 whatever else."""
    if issubclass(error, UsageError):
        return 2
    if issubclass(error, BrokerUnavailable):
        return 6
    return 4 if error.__name__ == "Unproved" else 1


@pytest.mark.parametrize("error", TREE, ids=lambda error: error.__name__)
def test_every_error_says_what_to_do(error: type[HustingsError]) -> None:
    """A docstring of its own, a whole sentence, is the hint; the exit code is the designed one; the root is one."""
    doc = error.__doc__
    assert issubclass(error, HustingsError)
    assert doc
    assert doc[0].isupper()
    assert doc.endswith(".")
    assert all(doc != parent.__doc__ for parent in error.__mro__[1:])
    assert error("it broke").hint == " ".join(doc.split())
    assert error("it broke").exit_code == exits(error)


def test_the_tree_is_whole() -> None:
    """Every error of the module is at the front door."""
    module = inspect.getmodule(HustingsError)
    assert module is not None
    defined = {name for name, each in vars(module).items() if inspect.isclass(each) and issubclass(each, Exception)}
    assert defined == {error.__name__ for error in TREE}
    assert {error for error in TREE if issubclass(error, BusError)} > {BusError, BrokerUnavailable}


def test_an_error_says_what_and_why_and_may_have_a_better_hint() -> None:
    """What, why, and what to try; the class's hint only where nothing better is known."""
    plain, told = HustingsError("it broke"), BadName("it broke", "it was glass", hint="Use steel.")
    assert (str(plain), plain.why) == ("it broke", "")
    assert (str(told), told.what, told.why, told.hint) == (
        "it broke: it was glass",
        "it broke",
        "it was glass",
        "Use steel.",
    )
