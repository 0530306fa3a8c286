"""The secret of a broker's URL is found nowhere: in nothing a verb says, no file, no command line of a child."""

import json
from pathlib import Path
from urllib.parse import quote

import anyio
import pytest

from hustings.agents.cli import main

from .processes import Place, nats_server
from .test_streams import CLERK

SECRET = "s3cr3t/+#?@:= ü"
USER = "us3r/x"
FORMS = {
    "raw": f"nats://{quote(USER, safe='/')}:{SECRET}@",
    "encoded": f"nats://{quote(USER, safe='')}:{quote(SECRET, safe='')}@",
    "without a scheme": f"{USER}:{SECRET}@",
}
VERBS = [
    ["runs"], ["agents"], ["ps"], ["doctor"], ["dead", "ls"], ["show", "@last"], ["replay", "@last"], ["conflicts"],
    ["export", "@last", "--jsonl", "x.jsonl"], ["tail", "--all", "--count", "1"], ["plan", "clerk:team", "--live"],
    ["cancel", "@last"],
]  # fmt: skip
TOLD = ("s3cr3t", "us3r", quote(SECRET, safe=""), json.dumps(SECRET)[1:-1])


def leaks(text: str) -> list[str]:
    return [line for line in text.splitlines() if any(secret in line for secret in TOLD)]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "place").mkdir()
    (tmp_path / "place" / "clerk.py").write_text(f"shout = print\n{CLERK}")
    return Place(tmp_path / "place")


@pytest.mark.processes
@pytest.mark.parametrize("form", [pytest.param(form, marks=[pytest.mark.long] * (form == "encoded")) for form in FORMS])
async def test_what_works_leaves_it_nowhere(tmp_path: Path, place: Place, form: str) -> None:
    """A whole team over a guarded broker: all verbs, all files, all command lines."""
    users = f'authorization {{ user: {json.dumps(USER)}, password: "{SECRET}" }}'
    config = f'jetstream {{ store_dir: "{tmp_path}/store" }}\n{users}'
    async with nats_server(tmp_path / "nats", config) as (address, _):
        place.env["HUSTINGS_URL"] = f" {FORMS[form]}{address}\n"
        async with place.up("clerk:team") as up:
            said = await place.call("run", "clerk:team", "--text", "a. b", "--debug", "-v", "-o", "json")
            assert (said.code, said.json["status"]) == (0, "decided")
            assert leaks(said.out + said.err) == []
            for verb in VERBS if form == "encoded" else VERBS[:2]:  # they all get it from one place
                said = await place.call(*verb, "--debug")
                assert said.code in (0, 1), said
                assert leaks(said.out + said.err) == []
            assert leaks("\n".join(_command_lines(place))) == []
            assert leaks("\n".join(up.rows)) == []
    files = [path for path in place.folder.rglob("*") if path.is_file()]
    assert [path for path in files if leaks(path.read_bytes().decode(errors="replace"))] == []
    await place.all_gone()


REFUSED = [
    f"nats://u:{SECRET}@127.0.0.1:port", f"{SECRET}@", f"TLS://{SECRET}@h ost", f"nats://{SECRET},x@127.0.0.1:1",
    f"nats://u:{SECRET},nats://x@127.0.0.1:1", f"nats://u:{SECRET}@127.0.0.1:1", f"nats://u:%ff{SECRET}@127.0.0.1:1",
]  # fmt: skip


@pytest.mark.parametrize("where", ["HUSTINGS_URL", "NATS_URL", "--url", "hustings.toml", "argument"])
@pytest.mark.parametrize("url", REFUSED, ids=range(len(REFUSED)))
def test_nor_does_what_is_refused(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str, where: str
) -> None:
    """Wherever the URL comes from, with the traceback as well."""
    for name in ("HUSTINGS_URL", "NATS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(place.folder)
    if where.endswith("_URL"):
        monkeypatch.setenv(where, url)
    if where == "hustings.toml":
        (place.folder / "hustings.toml").write_text(f"url = {json.dumps(url)}")
    written = url if "://" in url else f"nats://{url}"
    args = {"--url": ["--url", url], "argument": [written]}.get(where, [])
    with pytest.raises(SystemExit) as ended:
        main(["runs", *args, "--debug"])
    out, err = capsys.readouterr()
    assert ended.value.code in (2, 6), err
    assert err
    assert leaks(out + err) == []


@pytest.mark.processes
@pytest.mark.parametrize("verb", [["run", "clerk:team", "--text", "a"], ["agent", "clerk:team"]], ids=["run", "agent"])
async def test_nor_does_a_process_that_is_refused(place: Place, verb: list[str]) -> None:
    """Those that would start others, or live long."""
    async with anyio.create_task_group() as group:
        for url in REFUSED:
            group.start_soon(_refused, place, [*verb, "--debug"], url)


@pytest.mark.processes
async def test_a_url_that_is_none_is_not_repeated(place: Place) -> None:
    (place.folder / "hustings.toml").write_text('url = ["us3r:s3cr3t@h"]')
    said = await place.call("runs")
    assert said.code == 2
    assert leaks(said.err) == []


async def _refused(place: Place, args: list[str], url: str) -> None:
    said = await place.call(*args, HUSTINGS_URL=url)
    assert said.code in (2, 6), said
    assert leaks(said.out + said.err) == []


def _command_lines(place: Place) -> list[str]:
    lines = [Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace") for pid in place.left()]
    assert len(lines) >= 3
    return lines
