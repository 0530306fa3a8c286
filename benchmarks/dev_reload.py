"""How long `hustings dev` takes from a saved file to the new answer, and what that costs.

    .venv/bin/python -m benchmarks.dev_reload [--saves 20]

A copy of the hello team runs in a folder of its own with `hustings dev --again`, next to what else the machine does.
Its one file is saved again and again, each time with another change, so all four parts restart. The clock runs from the
write until the command shows the new answer. Then five files of a package are saved at once, and the restarts counted.
"""

import argparse
import asyncio
import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

from hustings.examples import hello
from tests.scenarios.processes import Place
from tests.scenarios.test_dev import package

CHANGE = 'about=f"words in line {line.number}"'


async def saves(place: Place, count: int) -> None:
    file = place.folder / "hello.py"
    source = (Path(hello.__file__).parent / "team.py").read_text()
    file.write_text(source)
    took = []
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    async with place.hustings("dev", "hello:team", "--again") as dev:
        await dev.until("is up: coordinator and")
        said = await place.call("run", "hello:team", "--text", "text")
        assert said.code == 0, said
        for number in range(count):
            at, seen = time.monotonic(), len(dev.rows)
            file.write_text(source.replace(CHANGE, f'about=f"words in line {{line.number}}, {number}"'))
            while not any("compared with" in row for row in dev.rows[seen:]):
                await dev.news.wait()
            took.append(time.monotonic() - at)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = sum(getattr(ended, kind) - getattr(began, kind) for kind in ("ru_utime", "ru_stime"))
    print(f"load {os.getloadavg()[0]:.1f}; {count} saves of a file that four parts import, seconds to the new answer")
    spread = f"median {statistics.median(took):.2f}  least {min(took):.2f}  most {max(took):.2f}"
    print(f"  {spread}  cpu {cpu / count:.2f} a save")


async def burst(place: Place) -> None:
    files = package(place.folder)
    async with place.hustings("dev", "duo:team") as dev:
        await dev.until("is up: coordinator and")
        at = time.monotonic()
        for file in files:
            file.write_text(file.read_text() + "\n# saved\n")
        await dev.until("reloaded coordinator, one, two")
        took = time.monotonic() - at
        restarts = [child["restarts"] for child in place.children("duo")]
    print(f"{len(files)} files saved at once: {took:.2f} s until all run anew, restarts of the three parts {restarts}")


async def main(count: int) -> None:
    with tempfile.TemporaryDirectory(prefix="hustings-dev-") as folder:
        place = Place(Path(folder))
        await saves(place, count)
        await burst(place)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--saves", type=int, default=20)
    asyncio.run(main(parser.parse_args().saves))
    sys.exit(0)
