"""Endpoints."""

from .model import Model


class Endpoints:
    def model(self, name: str) -> Model:
        raise NotImplementedError


def configured() -> Endpoints:
    return Endpoints()
