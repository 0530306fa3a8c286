"""How many bytes a run leaves on the log, by type of event, and how much CPU time it takes.

    .venv/bin/python -m benchmarks.log_bytes [hello] [board] [--runs 1]

Each team runs in this process on an embedded broker of its own: `hello` on the text of its README, `board` on the copy
of simplejson that `hustings demo` reviews. Counts the messages as the stream has them, the objects that stand for
oversized ones, and as "(values)" the large values of all events, each once. "on disk" is what the broker says of its
stream: with subjects, headers and its own 30 bytes a message. CPU time is that of this process (coordinator,
specialists, client) without its children; `--runs` repeats the run.
"""

import argparse
import json
import time
from collections import Counter
from contextlib import aclosing
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio

from hustings.agents import Client, Team
from hustings.agents.testing import running
from hustings.examples.hello import team as hello
from hustings.examples.review_board import Repository, Review
from hustings.examples.review_board import team as board
from hustings.examples.review_board.demo import target
from hustings.protocols import Blob, Goal, Subjects, open_envelope
from hustings.protocols.events import Stored

TEXT = "It's half past three.\nHello world\n\nre-do the well-known thing\n"


async def words(client: Client, folder: Path) -> Goal:
    (folder / "text.txt").write_text(TEXT)
    return hello.goal.of({"text": (await client.upload(folder / "text.txt", Blob)).plain()})


async def review(client: Client, folder: Path) -> Goal:
    return Review(repository=await client.upload(target(folder), Repository))


TEAMS = {"hello": (hello, words), "board": (board, review)}


async def weigh(client: Client, run: str) -> tuple[Counter[str], Counter[str]]:
    """The bytes and the messages of a run, by type of event."""
    sizes, counts, objects = Counter[str](), Counter[str](), set[str]()
    async with aclosing(client.bus.log.read(run)) as entries:
        seqs = [entry.seq async for entry in entries]
    for seq in seqs:
        kept = await client.bus.log.at(seq)
        assert kept
        said, size = open_envelope(kept.data), len(kept.data)
        objects.update(getattr(said.data, "stored", {}).values())
        if isinstance(said.data, Stored):
            size += said.data.size
            said = open_envelope(await client.bus.blobs.get(said.data.digest))
        sizes[type(said.data).__name__] += size
        counts[type(said.data).__name__] += 1
    if objects:
        sizes["(values)"] = sum([len(await client.bus.blobs.get(digest)) for digest in objects])
    return sizes, counts


async def measure(name: str, team: Team, runs: int) -> None:
    with TemporaryDirectory(prefix="hustings-bytes-") as folder:
        async with running(team) as client:
            goal = await TEAMS[name][1](client, Path(folder))
            before, tasks = time.process_time(), 0
            for _ in range(runs):
                run = await client.ask(goal)
                report = await run.wait()
                assert report.status == "decided", report
                tasks += len((await run.state()).tasks)
            cpu = time.process_time() - before
            sizes, counts = await weigh(client, run.id)
            info = await client.bus.connection.request(f"$JS.API.STREAM.INFO.{Subjects(team.name).stream()}")
            stored = json.loads(info.data)["state"]["bytes"] // runs
    print(f"{name}: {sum(sizes.values()):,} bytes in {sum(counts.values())} messages, ", end="")
    print(f"{stored:,} on disk, {cpu / tasks * 1e3:.2f} ms CPU a task")
    for kind, size in sizes.most_common():
        print(f"  {kind:<12}{size:>12,} bytes {counts[kind]:>6} messages")


async def main(names: list[str], runs: int) -> None:
    for name in names:
        await measure(name, TEAMS[name][0], runs)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("teams", nargs="*", default=list(TEAMS), choices=list(TEAMS))
    parser.add_argument("--runs", type=int, default=1)
    given = parser.parse_args()
    anyio.run(main, given.teams, given.runs)
