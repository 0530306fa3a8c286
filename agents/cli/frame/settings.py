"""Settings: the common options of a verb. Each value comes from: flag > environment > hustings.toml > default."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal, NoReturn, get_args

from ...variables import Variable
from .hints import close_to, did_you_mean

Output = Literal["text", "json", "jsonl"]
Color = Literal["auto", "always", "never"]
Durability = Literal["power", "process"]

FILE = "hustings.toml"
CHOICES: Mapping[str, tuple[str, ...]] = {
    "output": get_args(Output),
    "color": get_args(Color),
    "durability": get_args(Durability),
}
TYPES: Mapping[str, type] = {
    "output": str,
    "color": str,
    "url": str,
    "debug": bool,
    "durability": str,
    "log": str,
}  # in the file
HOME = Variable(
    "HUSTINGS_HOME",
    "the folder of the embedded broker, its store, the logs and the reports",
    ".hustings beside hustings.toml, else in the current folder",
)
NO_COLOR = Variable("NO_COLOR", "anything: no colours, unless --color or HUSTINGS_COLOR says otherwise")
FORCE_COLOR = Variable("FORCE_COLOR", "anything: colours, also where the output is no terminal")
TABLES = frozenset({"providers"})  # in the file too, but read by the modules that they configure


@dataclass(frozen=True)
class Settings:
    """The values of the common options. `output` is text, json, jsonl, or the suffix of a file that a team makes of a
    report; `url` None means the embedded broker under `home`; `log` has levels, as in `clerk=debug,warning`."""

    output: str
    color: Color
    url: str | None = field(repr=False)
    home: Path
    debug: bool
    durability: Durability
    log: str = ""

    def colored(self, stream: IO[str]) -> bool:
        """Whether to write colours to this stream."""
        return self.color == "always" or (self.color == "auto" and stream.isatty())


def resolve(flags: Mapping[str, Any], environ: Mapping[str, str], cwd: Path) -> Settings:
    """The settings from the flags (None where neither flag nor environment gives a value) and from the file.

    Raises UsageError: hustings.toml has an unknown key or a value that does not fit, or HUSTINGS_DURABILITY or
    HUSTINGS_LOG is wrong.
    """
    file = nearest(cwd)
    values = _checked(file, _read(file)) if file else {}
    values |= {name: value for name, value in _environment(environ).items() if value}
    values |= {name: value for name, value in flags.items() if value is not None}
    home = HOME.read(environ)
    return Settings(
        output=values.get("output", "text"),
        color=values.get("color", "auto"),
        url=values.get("url") or None,
        home=cwd / home if home else (file.parent if file else cwd) / ".hustings",
        debug=values.get("debug", False),
        durability=values.get("durability", "power"),
        log=_levels(values.get("log", "")),
    )


def nearest(cwd: Path) -> Path | None:
    """The hustings.toml of this folder, or of the nearest one above it."""
    return next((folder / FILE for folder in (cwd, *cwd.parents) if (folder / FILE).is_file()), None)


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What click does not read: the colour variables of other tools, and --durability, which few verbs have."""
    color = "never" if NO_COLOR.read(environ) else "always" if FORCE_COLOR.read(environ) else ""
    durable = environ.get("HUSTINGS_DURABILITY", "")
    if durable and durable not in CHOICES["durability"]:
        _refuse_choice("HUSTINGS_DURABILITY", "durability", durable)
    return {"color": color, "durability": durable, "log": environ.get("HUSTINGS_LOG", "")}


def _levels(log: str) -> str:
    if not log:
        return ""
    from ...observe.logs import level_of  # here, because few commands need it

    try:
        level_of("", log)
    except ValueError as error:
        _refuse(f"the log levels {log!r} cannot be read", str(error), "write LEVEL or AGENT=LEVEL, with commas between")
    return log


def _read(file: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        _refuse(f"{file} cannot be read", str(error), "correct the file, or remove it")


def _checked(file: Path, values: dict[str, Any]) -> dict[str, Any]:
    values = {key: value for key, value in values.items() if key not in TABLES}
    for key, value in values.items():
        if key not in TYPES:
            hint = did_you_mean(close_to(key, TYPES)) or f"remove it; the keys are {', '.join(TYPES)}"
            _refuse(f"{file} has an unknown key {key!r}", f"the keys are {', '.join(TYPES)}", hint)
        if not isinstance(value, TYPES[key]):
            shown = key if key == "url" else f"{key} is {value!r}"  # a URL may have a password in it
            _refuse(f"{file}: {shown}", f"it must be a {TYPES[key].__name__}", "correct it in the file")
        if key in CHOICES and value not in CHOICES[key]:
            _refuse_choice(f"{file}: {key}", key, value)
    return values


def _refuse_choice(where: str, key: str, value: object) -> NoReturn:
    choices = ", ".join(CHOICES[key])
    hint = did_you_mean(close_to(str(value), CHOICES[key])) or "use one of these"
    _refuse(f"{where} is {value!r}", f"it must be one of {choices}", hint)


def _refuse(what: str, why: str, hint: str) -> NoReturn:
    from hustings.protocols import UsageError  # here, because it imports pydantic, and errors are rare

    raise UsageError(what, why, hint)
