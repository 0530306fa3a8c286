"""Model: the port. One callable from a request to a reply; what stands behind it is some vendor's endpoint."""

from collections.abc import Awaitable, Callable

from hustings.protocols import ModelReply, ModelRequest

Listener = Callable[[str], Awaitable[None]]
"""Is told each new piece of the text as it comes."""

Model = Callable[[ModelRequest, Listener | None], Awaitable[ModelReply]]
"""Ask once and give the reply; with a listener the reply is streamed.

Raises ModelFailure, of the kinds protocol, overloaded, limited, hung, unreachable, denied and rejected, and nothing
else; a refusal and an answer that ran out of room are replies. What a broken reply cost is in the failure's usage.
"""
