"""A real broker for every test that wants one. There is no double: nats-server starts in 25 ms.

Three markers, each of them held: `processes`, whoever starts processes of its own (the broker is none of its own);
`timing`, whoever measures time, with `unit` or `within`, which know how busy the machine is; `long`, what takes long.
"""

import logging
import platform
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from uuid import uuid4

import pytest
import structlog
from hypothesis import settings

from hustings.bus import Bus, open_bus

settings.register_profile("fixed", derandomize=True, deadline=None)  # what is tried does not depend on chance or load
settings.load_profile("fixed")

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


Within = Callable[[float], AbstractContextManager[None]]
QUIET = 0.02  # seconds for the fixed piece of work, where nothing runs beside it
STARTS = ("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn")
platform.uname().processor  # noqa: B018 - asks a process, once: the packages of models want to know it later
_started: list[str] = []  # what this process has started since the test was set up


@sys.addaudithook
def _starts(event: str, args: tuple[object, ...]) -> None:
    if event in STARTS:
        _started.append(" ".join(map(str, args[:2])))


def pytest_runtest_setup() -> None:
    _started.clear()


@pytest.fixture(autouse=True)
def _says_that_it_starts_processes(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test without the marker starts none: `make test-fast` goes by it."""
    yield
    if not request.node.get_closest_marker("processes"):
        assert not _started, "it starts processes: mark it with pytest.mark.processes"


def _calibration(clock: Callable[[], float]) -> float:
    """Seconds by this clock for a fixed piece of work: 0.02 of CPU on the machine by which the limits were set."""
    began = clock()
    sum(number * number for number in range(500_000))
    return clock() - began


@pytest.fixture
def unit() -> Callable[[], float]:
    """CPU seconds that a fixed piece of work takes here and now. What is measured beside it is compared with it."""
    return lambda: min(_calibration(time.process_time) for _ in range(3))


@pytest.fixture
def within() -> Within:
    """`with within(2):` fails where the block takes longer than 2 s, or longer by as much as the machine is slower
    than the one by which the limits were set. It takes part in the work of the event loop only before and after."""

    @contextmanager
    def within(seconds: float) -> Iterator[None]:
        before, began = _slowness(), time.monotonic()
        yield
        took = time.monotonic() - began
        assert took < seconds * max(1.0, before, _slowness())

    return within


def _slowness() -> float:
    return sum(_calibration(time.monotonic) for _ in range(5)) / 5 / QUIET


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a broker that this test process has for itself; tests share it, each with a team of its own."""
    command = [sys.executable, "-c", HOLD, str(tmp_path_factory.mktemp("broker"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        _started.clear()  # it is shared, and whoever is the first to want it is not to blame
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
