"""Models: how agents ask language models. No vendor's package is imported before one of its models is called."""

from .model import Listener, Model

__all__ = ["Listener", "Model"]
