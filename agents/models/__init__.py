"""Models: how agents ask language models. No vendor's package is imported before one of its models is called."""

from hustings.protocols import Untrusted

from .endpoints import Endpoints, Provider, configured
from .model import Listener, Model
from .prices import Offer, Prices, prices
from .retry import Breaker, Healthy, Patience
from .tools import Tool, tool

__all__ = [
    "Breaker",
    "Endpoints",
    "Healthy",
    "Listener",
    "Model",
    "Offer",
    "Patience",
    "Prices",
    "Provider",
    "Tool",
    "Untrusted",
    "configured",
    "prices",
    "tool",
]
