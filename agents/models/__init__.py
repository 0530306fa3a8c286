"""Models: how agents ask language models. No vendor's package is imported before one of its models is called."""

from .model import Listener, Model
from .tools import Tool, tool
from .untrusted import Untrusted

__all__ = ["Listener", "Model", "Tool", "Untrusted", "tool"]
