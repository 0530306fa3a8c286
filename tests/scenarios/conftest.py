"""The command line in this process, for teams that are at work in it."""

import json
import os
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NamedTuple

import anyio
import pytest
from structlog.testing import capture_logs

from hustings.agents import Client
from hustings.agents.cli import main
from hustings.bus import Bus

from .mill import Mill


@pytest.fixture
def client(bus: Bus) -> Client:
    return Client(bus, "ann")


@pytest.fixture
def mill(broker: str, team: str) -> Mill:
    return Mill(broker, team)


class Finished(NamedTuple):
    """How a command ended, and what it said."""

    code: object
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.err.splitlines()


Hustings = Callable[..., Awaitable[Finished]]


@pytest.fixture
def hustings(broker: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Hustings]:
    """Run `hustings ARGS` against the tests' broker, in a thread beside what goes on in the test."""
    for name in [name for name in os.environ if name.startswith("HUSTINGS_")] + ["NATS_URL", "NO_COLOR", "FORCE_COLOR"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HUSTINGS_URL", broker)

    def call(args: tuple[str, ...]) -> Finished:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main(args)
        said = Finished(end.value.code, *capsys.readouterr())
        assert "\x1b" not in said.out + said.err
        assert "Traceback" not in said.err
        return said

    async def hustings(*args: str) -> Finished:
        with anyio.fail_after(300):
            return await anyio.to_thread.run_sync(call, args, abandon_on_cancel=True)

    with capture_logs():
        yield hustings
