"""Promises of the blobs."""

import io
import shutil
import tarfile
from pathlib import Path

import anyio
import nats
import pytest

from hustings.bus import Bus
from hustings.protocols import Blob, NotFound, Unreadable, UsageError


def tree(root: Path) -> Path:
    (root / "pkg" / "__pycache__").mkdir(parents=True)
    (root / "pkg" / "a.py").write_text("a = 1\n")
    (root / "pkg" / "__pycache__" / "a.pyc").write_text("made again")
    (root / ".git").mkdir()
    (root / ".git" / "HEAD").write_text("x")
    (root / "tool.sh").write_text("#!/bin/sh\n")
    (root / "tool.sh").chmod(0o755)
    (root / "link").symlink_to("pkg/a.py")
    (root / "empty").mkdir()
    return root


@pytest.mark.parametrize("size", [0, 1, 262_144, 262_145, 3_000_000])
async def test_bytes_come_back_by_their_digest(bus: Bus, size: int) -> None:
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    blob = await bus.blobs.put(data, name="n")
    assert (blob.size, blob.name, blob.kind) == (size, "n", "file")
    assert await bus.blobs.get(blob) == await bus.blobs.get(blob.digest) == data


async def test_the_same_content_is_kept_once(bus: Bus) -> None:
    first = await bus.blobs.put(b"x" * 1000, name="a")
    size = (await bus.connection.request(f"$JS.API.STREAM.INFO.OBJ_BLOBS_{bus.team}")).data
    assert (await bus.blobs.put(b"x" * 1000, name="b")).digest == first.digest
    assert b'"messages":2' in size
    assert b'"messages":2' in (await bus.connection.request(f"$JS.API.STREAM.INFO.OBJ_BLOBS_{bus.team}")).data


async def test_other_nats_clients_can_read_blobs(bus: Bus, broker: str) -> None:
    blob = await bus.blobs.put(b"x" * 1_000_000)
    client = await nats.connect(broker)
    store = await client.jetstream().object_store(f"BLOBS_{bus.team}")
    assert (await store.get(blob.digest)).data == b"x" * 1_000_000
    await client.close()


async def test_a_missing_or_damaged_blob_is_told(bus: Bus) -> None:
    with pytest.raises(NotFound):
        await bus.blobs.get("sha256:none")
    blob = await bus.blobs.put(b"x" * 600_000)
    await bus.connection.request(f"$JS.API.STREAM.MSG.DELETE.OBJ_BLOBS_{bus.team}", b'{"seq":2}')
    with pytest.raises(Unreadable, match="damaged"):
        await bus.blobs.get(blob)


async def test_a_folder_is_packed_alike_wherever_and_whenever(bus: Bus, tmp_path: Path) -> None:
    first = await bus.blobs.put_path(tree(tmp_path / "one" / "src"))
    second = await bus.blobs.put_path(tree(tmp_path / "two" / "src"))
    assert first == second
    assert (first.name, first.kind) == ("src", "folder")


async def test_a_folder_comes_back_without_what_can_be_made_again(bus: Bus, tmp_path: Path) -> None:
    blob = await bus.blobs.put_path(tree(tmp_path / "src"))
    back = await bus.blobs.unpack(blob, tmp_path / "work")
    assert back == tmp_path / "work" / "src"
    found = sorted(str(path.relative_to(back)) for path in back.rglob("*"))
    assert found == ["empty", "link", "pkg", "pkg/a.py", "tool.sh"]
    assert (back / "link").read_text() == "a = 1\n"
    assert (back / "tool.sh").stat().st_mode & 0o100


async def test_a_file_comes_back_under_its_name(bus: Bus, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    blob = await bus.blobs.put_path(tmp_path / "a.txt")
    assert (await bus.blobs.unpack(blob, tmp_path / "work")).read_text() == "hello"
    escaping = blob.model_copy(update={"name": "../../evil"})
    assert (await bus.blobs.unpack(escaping, tmp_path / "work")) == tmp_path / "work" / "evil"


async def test_links_that_lead_out_of_the_folder_are_refused(bus: Bus, tmp_path: Path) -> None:
    root = tree(tmp_path / "src")
    (root / "out").symlink_to("../../secret")
    with pytest.raises(UsageError, match="outside"):
        await bus.blobs.put_path(root)


async def test_what_is_too_large_or_not_there_is_refused(
    bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="no such"):
        await bus.blobs.put_path(tmp_path / "none")
    monkeypatch.setattr("hustings.bus.team.archive.LIMIT", 10)
    with pytest.raises(UsageError, match="too large"):
        await bus.blobs.put_path(tree(tmp_path / "src"))


@pytest.mark.processes
async def test_of_a_checkout_only_what_git_tracks_travels(bus: Bus, tmp_path: Path) -> None:
    """A data set or an environment beside the code stays; so does a link that leads out of the folder."""
    root = tree(tmp_path / "src")
    (root / "out").symlink_to("/etc/passwd")
    shutil.rmtree(root / ".git")
    (root / "venv").mkdir()
    (root / "venv" / "tracked.py").write_text("a = 2\n")
    (root / "links").mkdir()
    (root / "links" / "nowhere").symlink_to("gone")  # before any file of its folder
    git = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "-f", "pkg/a.py", "out", "link", "links", "venv/tracked.py"]):
        await anyio.run_process([*git, *command])
    (root / "pkg" / "untracked.py").write_text("a = 3\n")
    blob = await bus.blobs.put_path(root, tracked=True)
    back = await bus.blobs.unpack(blob, tmp_path / "work")
    found = {str(path.relative_to(back)) for path in back.rglob("*") if not path.is_dir()}
    assert found == {"pkg/a.py", "link", "links/nowhere", "venv/tracked.py"}
    assert (back / "link").read_text() == "a = 1\n"


@pytest.mark.processes
async def test_a_folder_that_git_does_not_know_travels_whole(bus: Bus, tmp_path: Path) -> None:
    root = tree(tmp_path / "src")
    assert await bus.blobs.put_path(root, tracked=True) == await bus.blobs.put_path(root)


@pytest.mark.parametrize("name", ["../evil", "/evil"])
async def test_a_forged_archive_cannot_write_elsewhere(bus: Bus, tmp_path: Path, name: str) -> None:
    forged = io.BytesIO()
    with tarfile.open(fileobj=forged, mode="w:gz") as archive:
        link = tarfile.TarInfo(name)
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    blob = await bus.blobs.put(forged.getvalue(), name="src", kind="folder")
    with pytest.raises(Unreadable):
        await bus.blobs.unpack(blob, tmp_path / "work")


async def test_garbage_is_not_a_folder(bus: Bus, tmp_path: Path) -> None:
    blob: Blob = await bus.blobs.put(b"garbage", name="src", kind="folder")
    with pytest.raises(Unreadable):
        await bus.blobs.unpack(blob, tmp_path / "work")
