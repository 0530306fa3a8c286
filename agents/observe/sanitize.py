"""Sanitize: remove secrets and terminal escapes from texts of agents, people and models, before they are shown."""

import re
from collections.abc import Mapping
from typing import Any

_SECRET = re.compile(r"(?:^|[^a-z])(?:token|password|passwd|secret|api[_-]?key|authorization)s?(?:$|[^a-z])", re.I)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BEGINS = re.compile(r"[\s,;=\"'`<>(\[{|][A-Za-z][\w+.-]*://|[\r\n]")  # the start of another URL or line
_HOST = re.compile(r"(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?(?=[.,;:!?)\]}>\"'`/]*(?:\s|$)|,[A-Za-z][\w+.-]*://)")
_SITE = re.compile(r"(?:localhost|(?:[\w-]+\.)+[\w-]+)(?::[0-9]+)?(?=[/?#])(?!\S*@)")
_BROKERS = ("nats", "tls", "ws", "wss")
_MASK = "***"
_DEPTH = 8  # a value nested deeper than this becomes text

_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|(?:\x1b[]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"  # OSC and its like: titles, links
    r"|\x1b[ -/]*[0-~]"
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # bidi as well
_SURROGATES = re.compile(r"[\ud800-\udfff]")


def inert(text: str) -> str:
    r"""The text without terminal control: escape sequences, control and bidi characters; \n and \t stay.

    Lone surrogates, which cannot be encoded, become U+FFFD.
    """
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub("", _ESCAPES.sub("", text)))


def without_secrets(value: Any, key: str = "", depth: int = 0) -> Any:
    """The value without secrets: values under a secret's key, and the credentials before the @ of URLs in any string.

    Numbers under "tokens" and the like are counts and stay. A value that JSON does not know becomes its repr.
    """
    if value is None or isinstance(value, bool):
        return value
    if key and tells_secret(key) and not ("token" in key.lower() and isinstance(value, int | float)):
        return _MASK
    if isinstance(value, int | float):
        return value
    if isinstance(value, Mapping) and depth < _DEPTH:
        return {str(name): without_secrets(item, str(name), depth + 1) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and depth < _DEPTH:
        return [without_secrets(item, key, depth + 1) for item in value]
    return masked(value if isinstance(value, str) else repr(value))


def masked(text: str) -> str:
    """The text without what is before the last @ of any URL in it, or before the place where that @ may be missing.

    A secret that is not encoded may have any character, so a URL extends to the end of the line, unless a plain host
    follows its scheme.
    """
    safe, done = [], 0
    while (at := text.find("://", done)) >= 0:
        scheme, at = re.split(r"[^\w+.-]", text[max(done, at - 8) : at])[-1].lower(), at + 3
        safe.append(text[done:at])
        host = _HOST.match(text, at) or (_SITE.match(text, at) if scheme in ("http", "https") else None)
        if host:
            done = host.end()
            safe.append(host[0])
            continue
        following = _BEGINS.search(text, at)
        end = following.start() if following else len(text)
        secret = text.rfind("@", at, end)
        hidden = secret >= 0 or scheme in _BROKERS
        done = secret if secret >= 0 else end
        safe.append(_MASK if hidden else text[at:end])
    return "".join([*safe, text[done:]])


def tells_secret(key: str) -> bool:
    """True if the name of a value says that the value is a secret."""
    return bool(_SECRET.search(_CAMEL.sub("_", key)))
