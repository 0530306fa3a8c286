"""Endpoints: the models that this process can call, by name, and their keys. They never go on the bus."""

import os
from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import anyio
from annotated_types import Unit
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hustings.protocols import ModelFailure, RetryPolicy, UsageError
from hustings.protocols.validation import errors_in_words

from ..variables import Variable
from .adapter import Access
from .anthropic import Anthropic
from .model import Model
from .openai import OpenAI
from .retry import CALLS, Breaker, ResilientModel

FILE = "hustings.toml"
FILE_SUFFIX = "_FILE"  # behind the name of a key's variable: names a file with the key
LATELY = 60.0  # seconds
HOMES = {"anthropic": "https://api.anthropic.com", "openai": "https://api.openai.com/v1"}


class Provider(BaseModel):
    """Where models are served, and how many calls may run at once. docs/settings.md lists the fields.

    Without `key_env` and `key_file` the endpoint needs no key.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    kind: Annotated[Literal["anthropic", "openai"], "the protocol that the endpoint speaks"]
    base_url: Annotated[str, "its address; empty: the vendor's"] = Field(default="", pattern="^(https?://.+)?$")
    key_env: Annotated[str, "the variable that has the key; with _FILE behind it, the one that names its file"] = ""
    key_file: Annotated[str, "the file that has the key"] = ""
    at_once: Annotated[int, Field(gt=0), "how many calls may run at once"] = 8
    first: Annotated[float, Field(gt=0), Unit("seconds"), "a longer silence before an answer is a hang"] = 20.0
    stall: Annotated[float, Field(gt=0), Unit("seconds"), "a longer silence within an answer is a hang"] = 10.0

    def key(self, environ: Mapping[str, str]) -> str:
        """The current key, "" if none is needed. Raises ModelFailure `denied`."""
        if not self.key_env and not self.key_file:
            return ""
        file = environ.get(f"{self.key_env}{FILE_SUFFIX}") or self.key_file
        key = (environ.get(self.key_env) or (_content(file) if file else "")).strip()
        if not key:
            raise ModelFailure(
                "there is no key", f"neither in {self.key_env} nor in a file", _cure(self), kind="denied"
            )
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise ModelFailure(
                "the key is invalid",
                "it has spaces, or characters that are not printable ASCII",
                _cure(self),
                kind="denied",
            )
        return key


class Endpoints:
    """The models of some providers. Keys are read at each call and not kept.

    `retry`: how calls are retried; `rest`: for how many seconds a circuit stays open.
    """

    def __init__(
        self,
        providers: Mapping[str, Provider],
        environ: Mapping[str, str] | None = None,
        retry: RetryPolicy = CALLS,
        rest: float = Breaker.rest,
    ) -> None:
        self._sites = {
            name: _Site(each, os.environ if environ is None else environ) for name, each in providers.items()
        }
        self._retry, self._rest = retry, rest
        self._models: dict[str, ResilientModel] = {}

    def model(self, name: str) -> Model:
        """The model PROVIDER:NAME, with retries.

        Raises UsageError for a provider that is not configured, and ModelFailure `denied` without its key: a call that
        cannot be made is neither reserved nor recorded.
        """
        site = self._sites.get(name.partition(":")[0])
        if site is None or not name.partition(":")[2]:
            known = ", ".join(sorted(self._sites))
            raise UsageError(f"no such model: {name}", f"it must be PROVIDER:NAME, and the providers are {known}", HINT)
        site.key()
        if name not in self._models:
            self._models[name] = ResilientModel(site.model, site.gate, Breaker(rest=self._rest), self._retry)
        return self._models[name]

    def has(self, provider: str) -> bool:
        """True if there is such a provider, and its key if it needs one."""
        site = self._sites.get(provider)
        try:
            return site is not None and site.key() is not None
        except ModelFailure:
            return False

    @property
    def unwell(self) -> bool:
        """True if no model called in the last minute can be reached: the circuits of all are open."""
        since = anyio.current_time() - LATELY
        lately = [model.breaker for model in self._models.values() if model.breaker.called >= since]
        return bool(lately) and all(breaker.open for breaker in lately)


HINT = f"Add [providers.NAME] to {FILE}, or correct the name."


class _Site:
    """One provider in use: its adapter, and the limit of its key, which all its models share."""

    def __init__(self, provider: Provider, environ: Mapping[str, str]) -> None:
        self._provider, self._environ = provider, environ

    def key(self) -> str:
        return self._provider.key(self._environ)

    @cached_property
    def gate(self) -> anyio.CapacityLimiter:
        return anyio.CapacityLimiter(self._provider.at_once)

    @cached_property
    def model(self) -> Model:
        provider = self._provider
        access = Access(provider.base_url or HOMES[provider.kind], self.key, provider.first, provider.stall)
        return Anthropic(access) if provider.kind == "anthropic" else OpenAI(access)


@cache
def here() -> Endpoints:
    """The endpoints of this process. All its specialists share them, so a key's limit holds for all together."""
    return configured(os.environ, Path.cwd())


def configured(environ: Mapping[str, str], folder: Path) -> Endpoints:
    """The endpoints of `providers`. Raises as it does."""
    return Endpoints(providers(environ, folder), environ)


def providers(environ: Mapping[str, str], folder: Path) -> dict[str, Provider]:
    """The providers of the environment and of the nearest hustings.toml. anthropic and openai need no file.

    Raises UsageError for a file that cannot be read, and for a wrong description of a provider.
    """
    file = next((each / FILE for each in (folder, *folder.parents) if (each / FILE).is_file()), None)
    rows = _builtin(environ)
    for name, row in (_rows(file) if file else {}).items():
        rows[name] = rows.get(name, {}) | row
    return {name: _provider(name, row, file) for name, row in rows.items()}


def variables() -> Iterator[Variable]:
    """What the environment may say of the providers that need no file."""
    for name in HOMES:
        yield from (_key(name), _key_file(name), _base_url(name))


def _key(name: str) -> Variable:
    return Variable(f"{name.upper()}_API_KEY", f"the key of the provider {name}")


def _key_file(name: str) -> Variable:
    return Variable(f"{_key(name).name}{FILE_SUFFIX}", "a file with that key, if the key itself is not given")


def _base_url(name: str) -> Variable:
    return Variable(f"{name.upper()}_BASE_URL", f"where the provider {name} is reached", HOMES[name])


def _builtin(environ: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    return {
        name: {"kind": name, "base_url": _base_url(name).read(environ) or home, "key_env": _key(name).name}
        for name, home in HOMES.items()
    }


def _rows(file: Path) -> dict[str, dict[str, Any]]:
    import tomllib

    try:
        rows = tomllib.loads(file.read_text("utf-8")).get("providers", {})
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} cannot be read", str(error), "correct the file, or remove it") from error
    if not isinstance(rows, dict) or not all(isinstance(row, dict) for row in rows.values()):
        raise UsageError(f"{file}: providers is not a table", "write tables: [providers.NAME]", "correct the file")
    return {name: _located(row, file.parent) for name, row in rows.items()}


def _located(row: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The row, with the path of its key file relative to hustings.toml."""
    path = row.get("key_file")
    return row | ({"key_file": str(folder / Path(path).expanduser())} if isinstance(path, str) and path else {})


def _provider(name: str, row: dict[str, Any], file: Path | None) -> Provider:
    try:
        return Provider.model_validate(row)
    except ValidationError as error:
        where = f"{file}: providers.{name}" if file else f"the provider {name}"
        raise UsageError(
            f"{where} is not described correctly", "; ".join(errors_in_words(error)), "correct it"
        ) from error


def _content(file: str) -> str:
    try:
        return Path(file).read_text("utf-8")
    except (OSError, ValueError):
        return ""


def _cure(provider: Provider) -> str:
    return f"Set {provider.key_env}, or name a file that contains it." if provider.key_env else "Put it into the file."
