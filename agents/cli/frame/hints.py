"""Hints: known words that look like an unknown one, and files that hide modules of Python."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence


def close_to(word: str, known: Iterable[str]) -> list[str]:
    """The known words that look like this one, best first."""
    from difflib import get_close_matches  # imported here: it costs 5 ms, only needed after a typing error

    return get_close_matches(word, list(known))


def did_you_mean(possibilities: Sequence[str] | None) -> str:
    """The hint with the best possibility, or "" if there are none."""
    return f"did you mean {possibilities[0]}?" if possibilities else ""


def shadowing(error: BaseException) -> str:
    """The hint to rename the files of the user that hide modules of Python; "" if no file hides one."""
    files = sorted(set(_shadows(error)))
    names = ", ".join(os.path.basename(file) for file in files)
    return f"Rename {names} in {os.path.dirname(files[0])}: Python has a module of this name." if files else ""


def _shadows(error: BaseException) -> Iterator[str]:
    """Modules of the current folder with a name of the standard library: the loaded, and where the error passed."""
    here = os.path.abspath(os.curdir)
    loaded = [getattr(sys.modules.get(name), "__file__", None) for name in sys.stdlib_module_names]
    for file in (*loaded, *_passed(error)):
        if file and os.path.dirname(file) == here and os.path.basename(file)[:-3] in sys.stdlib_module_names:
            yield file


def _passed(error: BaseException | None) -> Iterator[str]:
    trace = error.__traceback__ if error else None
    while trace:
        yield trace.tb_frame.f_code.co_filename
        trace = trace.tb_next
