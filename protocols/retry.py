"""RetryPolicy: how often something is tried, and how long each further attempt waits. Pure: no clock, no chance."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

from annotated_types import Unit
from pydantic import BeforeValidator, Field

from .message import Message, later

Wait = Annotated[float, Field(ge=0, le=1e9), Unit("seconds")]


def _name_of(value: object) -> str:
    if isinstance(value, type) and issubclass(value, BaseException):
        return value.__name__
    if isinstance(value, str) and value.isidentifier():
        return value
    raise ValueError(f"it must be an exception class, or the bare name of one, not {value!r:.80}")


if TYPE_CHECKING:
    ErrorType = str | type[BaseException]
else:
    ErrorType = Annotated[str, BeforeValidator(_name_of)]  # on the wire, and when it is read, always a name


class RetryPolicy(Message, contract="hustings.RetryPolicy.v1"):
    """How often something is tried, and how long each further attempt waits, in Temporal's terms.

    The second attempt waits `initial_interval`, each further one `backoff` times as long as the one before, but never
    longer than `max_interval`. Each wait is shorter by a part of it, at most `jitter`, so that what failed at once is
    not tried again at once. After an exception of a class in `non_retryable`, or of a subclass, no attempt follows.

    A default is not written to the log, so it can never change. Raises pydantic.ValidationError: out of bounds.
    """

    max_attempts: Annotated[int, Field(ge=1, le=1_000_000), "how often a task is tried, the first time included"] = (
        later(3)
    )
    initial_interval: Annotated[Wait, "how long the second attempt waits"] = later(1.0)
    backoff: Annotated[float, Field(ge=1, le=1000), "how many times as long each further attempt waits"] = later(2.0)
    max_interval: Annotated[Wait, "how long an attempt waits at most"] = later(60.0)
    jitter: Annotated[float, Field(ge=0, le=1), "by what part of it a wait may be shorter"] = later(0.1)
    non_retryable: Annotated[tuple[ErrorType, ...], "exception classes, or their names, after which none follows"] = (
        later(())
    )

    def interval(self, attempt: int, spread: float) -> float:
        """The seconds to wait after this attempt has failed; `spread`, from 0 to 1, is the part of the jitter to use.

        The same arguments give the same seconds, whoever asks.
        """
        try:
            growth = self.backoff ** (attempt - 1)
        except OverflowError:
            growth = sys.float_info.max
        longest = min(self.initial_interval * growth, self.max_interval)
        return round(longest * (1 - self.jitter * spread), 6)

    def refuses(self, error_types: Iterable[str]) -> bool:
        """True if no attempt may follow an exception of these classes, given by their names."""
        return any(name in self.non_retryable for name in error_types)


def error_types(error: BaseException) -> tuple[str, ...]:
    """The name of an exception's class and those of its base classes, the class first; without BaseException."""
    classes = [each for each in type(error).__mro__ if issubclass(each, BaseException)]
    return tuple(each.__name__ for each in classes if each is not BaseException)
