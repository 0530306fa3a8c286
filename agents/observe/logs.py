"""Logs: children write JSON lines to stderr, without secrets; the parent shows them to people, without escape codes."""

import json
import re
import zlib
from collections.abc import Mapping, MutableMapping, Sequence
from datetime import datetime
from typing import Any, Literal

from .sanitize import inert, without_secrets

Format = Literal["json", "text"]

LEVELS = ("debug", "info", "warning", "error", "critical")
_LEVEL = re.compile(rf'"level": "({"|".join(LEVELS)})"')
_PALETTE = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)  # ANSI foregrounds; red is kept for errors
_RED, _YELLOW = 31, 33
_LOUD = {"warning": _YELLOW, "error": _RED, "critical": _RED}
_SHOWN_APART = {"timestamp", "level", "event", "agent", "exception"}


def configure_logging(agent: str, *, format: Format = "json", level: str = "info") -> None:
    """Set up structlog for this process: one line an event on stderr, with UTC time, level, event, agent, bound keys.

    Exceptions become a field, secrets are masked. Warnings and the standard library's logging go the same way, from
    WARNING on. `level` is a name of the standard library's, in any case; `format` "text" is for a person who starts the
    process by hand. Raises ValueError for an unknown level.
    """
    import logging
    import sys

    from .logger import structlog  # imported here: it takes 0.1 s of CPU, and the parent only renders

    levels = logging.getLevelNamesMapping()
    if level.upper() not in levels:
        raise ValueError(f"no log level {level!r}: use one of {', '.join(levels).lower()}")

    def named(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {"agent": agent, **event}

    def as_text(_: Any, __: str, event: Mapping[str, Any]) -> str:
        return _render(agent, event, width=0, color=sys.stderr.isatty())

    enrich: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        named,
    ]
    finish: list[structlog.typing.Processor] = [
        structlog.processors.format_exc_info,
        lambda _, __, event: without_secrets(event),
        structlog.processors.JSONRenderer() if format == "json" else as_text,
    ]
    structlog.configure(
        processors=[*enrich, *finish],
        wrapper_class=structlog.make_filtering_bound_logger(levels[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    library = logging.StreamHandler(sys.stderr)
    drop = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    library.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=enrich, processors=[drop, *finish]))
    logging.basicConfig(handlers=[library], level=max(logging.WARNING, levels[level.upper()]), force=True)
    logging.captureWarnings(True)


def level_of(agent: str, levels: str, default: str = "info") -> str:
    """The level that `levels` gives an agent: `clerk=debug,warning` is debug for the clerk, warning for all others.

    The last entry that fits counts, one with a name before one without. Raises ValueError for an unknown level.
    """
    named: dict[str, str] = {}
    for entry in filter(None, (each.strip() for each in levels.split(","))):
        name, _, level = entry.rpartition("=")
        if level.lower() not in LEVELS:
            raise ValueError(f"no log level {level!r}: use one of {', '.join(LEVELS)}")
        named[name.strip()] = level.lower()
    return named.get(agent) or named.get("") or default


def shows(raw: str, level: str) -> bool:
    """True if a child's line is of this level at least; what is no JSON log always is."""
    found = _LEVEL.search(raw) if raw.startswith("{") else None
    return found is None or LEVELS.index(found[1]) >= LEVELS.index(level)


def render_line(name: str, raw: str, *, width: int = 0, color: bool = False, when: datetime | None = None) -> str:
    """A child's line for people: `HH:MM:SS name | event key=value`, in local time; other than a JSON log, unchanged.

    `width` is that of the longest name; `when` is the time of a line that has none of its own, by default now. Each
    name always has the same colour. Every line of a longer event or of an exception has the prefix, so no agent can
    write under another's name.
    """
    return _render(name, _event(raw), width=width, color=color, when=when)


def moment_of(raw: str) -> datetime | None:
    """The local time that a child's line has; None if it has none."""
    return _moment(_event(raw).get("timestamp"))


def _event(raw: str) -> Mapping[str, Any]:
    if raw.startswith("{"):
        try:
            event = json.loads(raw)
        except (ValueError, RecursionError):  # agents may write what only looks like JSON
            event = None
        if isinstance(event, dict) and isinstance(event.get("event"), str):
            return event
    return {"event": raw}


def _render(name: str, event: Mapping[str, Any], *, width: int, color: bool, when: datetime | None = None) -> str:
    moment = _moment(event.get("timestamp")) or when or datetime.now().astimezone()
    prefix = f"{moment:%H:%M:%S} {_painted(name.ljust(width), _shade(name), color)} |"
    pairs = [f"{inert(key)}={_shown(value)}" for key, value in event.items() if key not in _SHOWN_APART]
    text = " ".join([_loudness(event.get("level"), color) + inert(event["event"]), *pairs])
    trace = event.get("exception")
    lines = [*text.splitlines(), *(inert(trace).splitlines() if isinstance(trace, str) else ())]
    return "\n".join(f"{prefix} {line}".rstrip() for line in lines or [""])


def _shown(value: object) -> str:
    if not isinstance(value, str):
        return inert(json.dumps(value, ensure_ascii=False, default=repr))
    plain = inert(value)
    return plain if plain and not re.search(r"[\s\"=]", plain) else json.dumps(plain, ensure_ascii=False)


def _loudness(level: object, color: bool) -> str:
    if not isinstance(level, str) or level not in _LOUD:
        return ""
    return _painted(f"{level}:", _LOUD[level], color) + " "


def _moment(stamp: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(stamp)).astimezone()
    except (ValueError, OverflowError, OSError):
        return None


def _shade(name: str) -> int:
    return _PALETTE[zlib.crc32(name.encode()) % len(_PALETTE)]


def _painted(text: str, shade: int, color: bool) -> str:
    return f"\x1b[{shade}m{text}\x1b[0m" if color else text


__all__: Sequence[str] = ["LEVELS", "Format", "configure_logging", "level_of", "moment_of", "render_line", "shows"]
