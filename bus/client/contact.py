"""Contact: what a URL says of one server, the address apart from the credentials, so that only the address is shown."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from hustings.protocols import BrokerUnavailable

HOW = (
    "Write nats://HOST:PORT, with TOKEN@ or USER:PASSWORD@ before the host, and what is odd in these as %XX: "
    "a comma as %2C, a colon as %3A, the percent sign as %25."
)
_COMMA = "a comma in it may part two servers, or belong to a password"
_PORTS = {"nats": ":4222", "tls": ":4222", "ws": "", "wss": ""}  # nats-py needs to be told; for ws it is the library's
_NEXT = re.compile(r"\s*,\s*(?=(?:nats|tls|wss|ws)://)", re.IGNORECASE)
_PLACE = re.compile(
    r"(?P<host>\[[0-9a-f:.]+\]|[^\s\x00-\x1f\x7f\[\]:/?#%@,]+)(?::(?P<port>[0-9]{1,5})?)?(?P<path>[/?#]\S*)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Contact:
    """One server. `shown` is scheme, host and port; `address` what nats-py is told, for ws with the path."""

    shown: str
    address: str = field(repr=False)
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)


def contacts(url: str) -> list[Contact]:
    """The servers that a URL names, or a list of URLs with commas between them. Percent-encoding is decoded.

    What stands before the last @ is the secret, whatever is in it: it may have / + # ? @ in it as they are. Raises
    BrokerUnavailable, which repeats nothing of a URL that cannot be read: nobody knows which part of it is secret.
    """
    parts = _NEXT.split(url.strip())
    secret = [at for at, part in enumerate(parts) if "@" in part]
    if secret and secret != list(range(secret[-1] + 1)):
        raise _unreadable(_COMMA)
    return [contact for part in parts for contact in _contacts(part)]


def redact(url: str) -> str:
    """The URL without token, user and password: what may be shown and logged."""
    try:
        return ",".join(contact.shown for contact in contacts(url))
    except BrokerUnavailable:
        return "***"


def _contacts(part: str) -> Iterator[Contact]:
    scheme, parted, rest = part.partition("://")
    if not parted or "@" in scheme:
        scheme, rest = "nats", part
    if scheme.lower() not in _PORTS:
        raise _unreadable(f"it begins with none of {', '.join(f'{each}://' for each in _PORTS)}")
    secret, _, places = rest.rpartition("@")
    if "," in secret:
        raise _unreadable(_COMMA)
    for place in places.split(","):
        yield _contact(scheme.lower(), secret, place.strip())


def _contact(scheme: str, secret: str, place: str) -> Contact:
    found = _PLACE.fullmatch(place)
    if not found:
        raise _unreadable("what follows the last @ is not HOST:PORT" if secret else "it is not HOST:PORT")
    if found["port"] and not 0 < int(found["port"]) < 2**16:
        raise _unreadable("its port is none: they go from 1 to 65535")
    shown = f"{scheme}://{found['host']}" + (f":{found['port']}" if found["port"] else _PORTS[scheme])
    address = shown + ((found["path"] or "") if scheme in ("ws", "wss") else "")
    name, colon, password = secret.partition(":")
    try:
        name, password = unquote(name, errors="strict"), unquote(password, errors="strict")
    except UnicodeDecodeError:
        raise _unreadable("what is percent-encoded in it is no UTF-8") from None
    if colon:
        return Contact(shown, address, user=name, password=password)
    return Contact(shown, address, token=name or None)


def _unreadable(why: str) -> BrokerUnavailable:
    return BrokerUnavailable("the URL of the broker cannot be read", why, HOW)
