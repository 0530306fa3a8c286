"""Model: the port: a callable from a request to a reply. Each adapter implements it for a vendor's endpoint."""

from collections.abc import Awaitable, Callable

from hustings.protocols import ModelReply, ModelRequest

Listener = Callable[[str], Awaitable[None]]
"""Called with each new piece of the text as it comes."""

Model = Callable[[ModelRequest, Listener | None], Awaitable[ModelReply]]
"""Ask once and give the reply; with a listener the reply is streamed.

Raises ModelFailure, of the kinds protocol, overloaded, limited, hung, unreachable, denied and rejected, and nothing
else. A refusal and an answer cut at the token limit are replies. The failure's usage says what a broken reply cost.
"""
