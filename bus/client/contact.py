"""Contact: one server of a URL, its address apart from its credentials, so that only the address is shown."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from hustings.protocols import BrokerUnavailable

HOW = (
    "Write nats://HOST:PORT, with TOKEN@ or USER:PASSWORD@ before the host. Percent-encode special characters in "
    "these: a comma as %2C, a colon as %3A, a percent sign as %25."
)
_COMMA = "a comma in it is ambiguous: it may separate two servers or belong to a password"
_PORTS = {
    "nats": ":4222",
    "tls": ":4222",
    "ws": "",
    "wss": "",
}  # nats-py needs an explicit port; for ws the library has its own
_NEXT = re.compile(r"\s*,\s*(?=(?:nats|tls|wss|ws)://)", re.IGNORECASE)
_PLACE = re.compile(
    r"(?P<host>\[[0-9a-f:.]+\]|[^\s\x00-\x1f\x7f\[\]:/?#%@,]+)(?::(?P<port>[0-9]{1,5})?)?(?P<path>[/?#]\S*)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Contact:
    """One server. `shown` is scheme, host and port; `address` is for nats-py, for ws with the path."""

    shown: str
    address: str = field(repr=False)
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)


def contacts(url: str) -> list[Contact]:
    """The servers of a URL, or of several URLs separated by commas. Percent-encoding is decoded.

    Everything before the last @ is the secret; it may contain / + # ? @ unencoded. Raises BrokerUnavailable, whose text
    repeats nothing of an invalid URL, because any part of it may be secret.
    """
    parts = _NEXT.split(url.strip())
    secret = [at for at, part in enumerate(parts) if "@" in part]
    if secret and secret != list(range(secret[-1] + 1)):
        raise _unreadable(_COMMA)
    return [contact for part in parts for contact in _contacts(part)]


def redact(url: str) -> str:
    """The URL without token, user and password, safe to show and log."""
    try:
        return ",".join(contact.shown for contact in contacts(url))
    except BrokerUnavailable:
        return "***"


def _contacts(part: str) -> Iterator[Contact]:
    scheme, parted, rest = part.partition("://")
    if not parted or "@" in scheme:
        scheme, rest = "nats", part
    if scheme.lower() not in _PORTS:
        raise _unreadable(f"it does not begin with one of {', '.join(f'{each}://' for each in _PORTS)}")
    secret, _, places = rest.rpartition("@")
    if "," in secret:
        raise _unreadable(_COMMA)
    for place in places.split(","):
        yield _contact(scheme.lower(), secret, place.strip())


def _contact(scheme: str, secret: str, place: str) -> Contact:
    found = _PLACE.fullmatch(place)
    if not found:
        raise _unreadable("the part after the last @ is not HOST:PORT" if secret else "it is not HOST:PORT")
    if found["port"] and not 0 < int(found["port"]) < 2**16:
        raise _unreadable("the port is not between 1 and 65535")
    shown = f"{scheme}://{found['host']}" + (f":{found['port']}" if found["port"] else _PORTS[scheme])
    address = shown + ((found["path"] or "") if scheme in ("ws", "wss") else "")
    name, colon, password = secret.partition(":")
    try:
        name, password = unquote(name, errors="strict"), unquote(password, errors="strict")
    except UnicodeDecodeError:
        raise _unreadable("its percent-encoded characters are not valid UTF-8") from None
    if colon:
        return Contact(shown, address, user=name, password=password)
    return Contact(shown, address, token=name or None)


def _unreadable(why: str) -> BrokerUnavailable:
    return BrokerUnavailable("the URL of the broker cannot be read", why, HOW)
