"""A real broker for every test that wants one. There is no double: nats-server starts in 25 ms."""

import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
import structlog

from hustings.bus import Bus, open_bus

# as in a real process: below that come tracebacks with all their locals, which take seconds to draw
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))

HOLD = """
import sys, anyio
from pathlib import Path
from hustings.bus import embedded

async def main():
    async with embedded(Path(sys.argv[1]), durability="process") as url:
        print(url, flush=True)
        await anyio.wait_readable(sys.stdin)

anyio.run(main)
"""


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a broker that this test process has for itself; tests share it, each with a team of its own."""
    command = [sys.executable, "-c", HOLD, str(tmp_path_factory.mktemp("broker"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        yield holder.stdout.readline().strip()
        holder.communicate()


@pytest.fixture
def team() -> str:
    """A team that no other test knows."""
    return "team-" + uuid4().hex[:12]


@pytest.fixture
async def bus(broker: str, team: str) -> AsyncIterator[Bus]:
    """The bus of a fresh team."""
    async with open_bus(broker, team, name="test") as bus:
        yield bus
        await bus.connection.request(f"$JS.API.STREAM.DELETE.LOG_{team}")
        await bus.connection.request(f"$JS.API.STREAM.DELETE.OBJ_BLOBS_{team}")
