"""Loading: find the team or specialist that MODULE:NAME names."""

import importlib
import os
import sys
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType

from pydantic import ValidationError

from hustings.protocols import UsageError
from hustings.protocols.validation import errors_in_words

from ...skills.specialist import Specialist
from ...skills.tracebacks import place_of, short
from ...team import Team
from .hints import shadowing


def load(target: str, *kinds: type[Team | Specialist]) -> Team | Specialist:
    """The team or specialist behind MODULE:NAME; the module may be in the current folder.

    If the module has no object of that name, the error lists its objects of these `kinds`, or of both.

    Raises UsageError: no such module or name, or the name is neither a team nor a specialist.
    """
    path, _, name = target.partition(":")
    if not path or not name or name.startswith("//"):  # a URL is shown whole: only a whole one can be masked
        raise UsageError(f"{target!r} names no team or specialist", "the form is MODULE:NAME", _dotted(path, name))
    if _is_path(path):
        raise UsageError(f"{path} is a path, not a module", "the form is MODULE:NAME", _dotted(path, name))
    module = _module(path)
    if not hasattr(module, name):
        known = [key for key, value in vars(module).items() if isinstance(value, kinds or (Team, Specialist))]
        near = get_close_matches(name, known, 1) or known
        hint = f"Try {path}:{near[0]}." if near else ""
        raise UsageError(f"there is no {name} in {path}", f"it has {', '.join(known) or 'none'}", hint)
    found = getattr(module, name)
    if not isinstance(found, Team | Specialist):
        raise UsageError(f"{target} is neither a Team nor a Specialist", f"it is a {type(found).__name__}")
    return found


def load_team(target: str) -> Team:
    """The team behind MODULE:NAME. Raises UsageError."""
    found = load(target, Team)
    if not isinstance(found, Team):
        hint = f"Run it with `hustings agent {target}`."
        raise UsageError(f"{target} is a specialist, not a team", "only a team pursues goals", hint)
    return found


def _is_path(path: str) -> bool:
    return "/" in path or path.endswith(".py")


def _dotted(path: str, name: str) -> str:
    """What to write instead of a path; "" if the target is not a path."""
    if not _is_path(path) or name.startswith("//"):
        return ""
    file, here = Path(os.path.abspath(path)).with_suffix(""), Path.cwd()
    inside = file.is_relative_to(here)
    module = ".".join(file.relative_to(here if inside else file.parent).parts)
    return f"Write {module}:{name or 'NAME'}{'' if inside else f', and run it in {file.parent}'}."


def _module(path: str) -> ModuleType:
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name and (path == error.name or path.startswith(f"{error.name}.")):
            raise UsageError(
                f"there is no module {path}", f"looked in {here} and the installed packages", "Check the spelling."
            ) from None
        raise UsageError(
            f"{path} cannot be imported",
            f"it needs {error.name}, which is not installed{_at(error)}",
            shadowing(error)
            or f"Install it into this environment, for example with `pip install {str(error.name).partition('.')[0]}`.",
        ) from error
    except SyntaxError as error:
        why = f"{type(error).__name__}: {error.msg} ({short(error.filename or '')}:{error.lineno})"
        raise UsageError(f"{path} cannot be imported", why, f"Correct line {error.lineno}.") from error
    except UsageError as error:  # of what the module makes
        raise UsageError(f"{place_of(error) or path}: {error.what}", error.why, error.hint) from error
    except ValidationError as error:  # of a value that the module makes, like a Budget or a RetryPolicy
        what = f"{place_of(error) or path}: {error.title} cannot be made of these values"
        raise UsageError(what, "; ".join(errors_in_words(error)), "Correct them.") from error
    except Exception as error:  # the module is the user's code: it may raise anything
        why = f"{type(error).__name__}: {error}{_at(error)}"
        hint = shadowing(error) or "Correct it; --debug shows the whole traceback."
        raise UsageError(f"{path} cannot be imported", why, hint) from error


def _at(error: Exception) -> str:
    """The line of the user's code that raised it: the last one that is not of Python or an installed package."""
    place = place_of(error)
    return f" ({place})" if place else ""
