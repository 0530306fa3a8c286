"""Refusal: explains why the first connect failed, without showing credentials."""

import ssl
from collections.abc import Sequence
from socket import gaierror

from hustings.protocols import BadCredentials, BrokerUnavailable, timing


def hopeless(error: Exception) -> bool:
    """True if a retry within two seconds cannot help."""
    return _not_let_in(error) or isinstance(error, ssl.SSLError | gaierror | ValueError | ImportError)


def explain(shown: str, errors: Sequence[Exception]) -> BrokerUnavailable:
    """The error to raise after these attempts to reach `shown`: from the last hopeless one, or the last."""
    telling = [error for error in errors if hopeless(error)] or errors
    if not telling:
        return BrokerUnavailable(f"no answer from {shown}", "within the time to connect")
    error = telling[-1]
    if _not_let_in(error):
        return BadCredentials(f"{shown} rejects the connection", "wrong or missing credentials")
    if isinstance(error, ssl.SSLError):
        return BrokerUnavailable(
            f"the TLS certificate of {shown} is not trusted", str(error), "Set SSL_CERT_FILE to its CA."
        )
    if isinstance(error, TimeoutError):
        why = f"no server has greeted there within {timing.HANDSHAKE} s, as a NATS server does"
        return BrokerUnavailable(f"no broker at {shown}", why, "Check the address; another program may have the port.")
    return BrokerUnavailable(f"no broker at {shown}", str(error) or type(error).__name__)


def _not_let_in(error: Exception) -> bool:
    return "authorization" in str(error).lower() or "authentication" in str(error).lower()
