"""Models: how agents ask language models. No vendor's package is imported before one of its models is called."""

from .endpoints import Endpoints, Provider, configured
from .health import Breaker, Healthy, Patience
from .model import Listener, Model
from .prices import Offer, Prices, prices

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
    "configured",
    "prices",
]
