"""What a user gets wrong: within seconds it is said what, why and what to try, with the right code and no traceback."""

import os
import re
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from .processes import Place, Said, nats_server

pytestmark = pytest.mark.processes

Within = Callable[[float], AbstractContextManager[None]]

HERE = ["--text", "text"]


def check(said: Said, code: int, *words: str) -> None:
    """Three lines, the code, the words somewhere in the lines, and nothing else."""
    assert said.code == code, said
    assert [line.partition(":")[0] for line in said.error] == ["error", "  why", "  try"], said
    assert "Traceback" not in said.err
    assert said.out == ""
    for word in words:
        assert word in "\n".join(said.error)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["run", "court:team", "--text", "nowhere"], ["--text: there is no nowhere"]),
        (["run", "cort:team", *HERE], ["there is no module cort"]),
        (["run", "court:teem", *HERE], ["there is no teem in court", "court:team"]),
        (["run", "court", *HERE], ["'court' names no", "MODULE:NAME"]),
        (["run", "court:scribe", *HERE], ["court:scribe is a specialist", "hustings agent court:scribe"]),
        (["run", "court:team"], ["--text"]),
        (["run", "court:team", *HERE, "--texts", "x"], ["--texts"]),
        (["run", "court:pool", "--pages", "many"], ["--pages", "many"]),
        (["up", "broken:team"], ["broken cannot be imported", "RuntimeError: not today"]),
        (["up", "court:team", "-m", "scribes=2"], ["no specialist scribes"]),
        (["agent", "court:scribes"], ["there is no scribes in court", "court:scribe"]),
        (["down"], ["nothing to stop"]),
    ],
    ids=lambda value: " ".join(value),
)
async def test_what_is_wrong_before_anything_is_started(tmp_path: Path, args: list[str], words: list[str]) -> None:
    place = Place(tmp_path)
    (tmp_path / "broken.py").write_text("raise RuntimeError('not today')")
    check(await place.call(*args), 2, *words)
    assert not place.home.exists()


@pytest.mark.timing
async def test_a_broker_that_is_not_there_or_not_fit(tmp_path: Path, within: Within) -> None:
    """Wrong address, wrong credentials, no JetStream: code 6 within seconds, and no secret in the words."""
    place = Place(tmp_path)
    async with (
        nats_server(tmp_path / "one", f'jetstream {{ store_dir: "{tmp_path / "one"}" }}\n'
                    "authorization { user: hustings, password: open-sesame }") as (guarded, _),
        nats_server(tmp_path / "two", "") as (plain, _),
    ):  # fmt: skip
        run, up, agent = ["run", "court:team", *HERE], ["up", "court:team"], ["agent", "court:eager"]
        for verb, url, words in (
            (run, "nats://hustings:s3cret@127.0.0.1:1", "no broker at nats://127.0.0.1:1"),
            (agent, "nats://hustings:s3cret@127.0.0.1:1", "no broker at nats://127.0.0.1:1"),
            (run, f"nats://hustings:s3cret@{guarded}", "wrong or missing credentials"),
            (up, f"nats://hustings:s3cret@{guarded}", "wrong or missing credentials"),
            (agent, f"nats://{guarded}", "wrong or missing credentials"),
            (run, f"nats://{plain}", "JetStream off"),
        ):
            with within(4):
                said = await place.call(*verb, "--url", url)
            check(said, 6, words)
            assert "s3cret" not in said.err


async def test_interrupted_in_mid_run(tmp_path: Path) -> None:
    """^C withdraws the run: it is cancelled on the log, the code is 130, and nothing is left running."""
    place = Place(tmp_path)
    async with place.hustings("run", "court:team", *HERE, "--hold", "scribe") as run:
        await run.until("settled")
        os.kill(run.pid, signal.SIGINT)
        said = await run.end()
        assert (said.code, said.out) == (130, "")
        assert re.search(r"^run r\w+ is cancelled; stopping the 5 processes that it started$", said.err, re.MULTILINE)
    await place.all_gone()
    shown = await place.call("show", "@last", "-o", "json")
    assert (shown.json["status"], shown.json["because"]) == ("cancelled", "interrupted")
    check(await place.call("show", "nothing"), 2, "there is no run nothing")
    check(await place.call("replay", "nothing"), 2, "there is no run nothing")
    check(await place.call("runs", "--team", "caught"), 2, "there is no team caught", "court")
