"""Models: adapters to language models; rules: which models serve which skills, a planner's or a judge's too.

A vendor's package is imported when one of its models is first called.
"""

from hustings.protocols import Untrusted

from .endpoints import Endpoints, Provider, configured
from .model import Listener, Model
from .prices import Offer, Prices, prices
from .retry import Breaker, ResilientModel
from .tools import Tool, tool

__all__ = [
    "Breaker",
    "Endpoints",
    "Listener",
    "Model",
    "Offer",
    "Prices",
    "Provider",
    "ResilientModel",
    "Tool",
    "Untrusted",
    "configured",
    "prices",
    "tool",
]
