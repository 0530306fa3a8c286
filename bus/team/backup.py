"""Backup: all that teams have on a broker in one file, and a broker that has it again. docs/storage.md has the format.

A backup is the server's own snapshot of each stream, so sequences, times and work queues come back as they were.
"""

import hashlib
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO
from zipfile import BadZipFile, ZipFile

from pydantic import AwareDatetime, BaseModel, JsonValue, ValidationError
from pydantic_core import to_json

from hustings.protocols import HustingsError, NotFound, Subjects, Unreadable, UsageError, timing

from ..client.connection import Connection
from ..client.jetstream import Reply, StreamConfig, StreamState, call, persist, stream_info
from ..client.ordered_consumer import read
from ..client.snapshot import CHUNK, Copied, restore, snapshot
from .layout import SIZES, fitted, object_stream
from .live import Live

FORMAT = 1
MANIFEST = "hustings.json"
AHEAD = 16  # messages in memory while a stream is read
TRIES = 3


class Part(BaseModel, frozen=True):
    """One stream in a backup. `files` has the SHA-256 of each of its files. `content` is that of its messages up to the
    sequence `last_seq`: sequence, time, subject, headers and bytes of each, in order."""

    stream: str
    files: Mapping[str, str]
    messages: int
    bytes: int
    last_seq: int
    content: str


class Manifest(BaseModel, frozen=True):
    """What a backup holds. `digest` is the one to note down: it covers all the others."""

    format: int
    made: AwareDatetime
    teams: Mapping[str, tuple[Part, ...]]

    @property
    def digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.model_dump_json().encode()).hexdigest()}"


class BackupFailed(HustingsError):
    """The backup was not made, or the broker does not have what it holds. Nothing is left of the attempt."""

    try_this = "Try it again; if it fails again, stop the team first."


class _Changed(Exception):
    """Something was removed from a stream while it was copied."""


async def back_up(connection: Connection, teams: Sequence[str], file: Path) -> Manifest:
    """Write all that these teams have into a file, which gets its name when it is whole. Teams may be at work.

    What was confirmed before the call is in it, and each run is there up to some moment during the call, with all blobs
    that it names. Raises UsageError: the file exists, or cannot be written; BackupFailed: runs were removed meanwhile,
    again and again; and what copying a stream raises.
    """
    with _whole(file) as output:
        for _ in range(TRIES):
            output.seek(0)
            output.truncate()
            try:
                return await _written(connection, teams, output)
            except _Changed:
                continue
        raise BackupFailed("no backup was made", "runs were removed each time while they were copied")


async def restore_backup(
    connection: Connection, file: Path, teams: Sequence[str] = (), *, digest: str = ""
) -> Manifest:
    """Bring a broker to what a backup holds, of these teams or of all; and compare what is there then.

    The file is checked first, against `digest` too if it is given. An interrupted restore may be repeated, and a team
    that is there already, and the same, is left as it is. Raises Unreadable: the file is no whole backup, or was
    changed; UsageError: a team has something else on the broker, or is running; NotFound: the backup lacks a team;
    BackupFailed; BusFull.
    """
    with _opened(file) as archive:
        manifest = _checked(archive, digest)
        wanted = {team: _parts_of(manifest, team) for team in teams or manifest.teams}
        missing = [part for team, parts in wanted.items() for part in await _missing(connection, team, parts)]
        for part in missing:
            await _restore(connection, archive, part)
        return manifest


# making one


async def _written(connection: Connection, teams: Sequence[str], output: IO[bytes]) -> Manifest:
    with ZipFile(output, "w") as archive:
        parts = {team: await _team(connection, team, archive) for team in teams}
        manifest = Manifest(format=FORMAT, made=datetime.now(UTC), teams=parts)
        archive.writestr(MANIFEST, manifest.model_dump_json(indent=2))
    return manifest


async def _team(connection: Connection, team: str, archive: ZipFile) -> tuple[Part, ...]:
    """The log first: a blob is stored before the event that names it, so the later copy of the blobs has them all."""
    copies = [await _copy(connection, stream, archive) for stream in _streams(team)]
    parts = tuple([await _part(connection, copied, files) for copied, files in copies])
    for copied, _ in copies:
        info = await stream_info(connection, copied.config.name)
        if info is None or _lost(info.state) != _lost(copied.state):
            raise _Changed
    return parts


def _streams(team: str) -> tuple[str, str]:
    return Subjects(team).stream(), object_stream(Subjects(team))


async def _copy(connection: Connection, stream: str, archive: ZipFile) -> tuple[Copied, dict[str, str]]:
    """As `nats stream backup` does it, so that `nats stream restore` can read the unpacked folder."""
    async with snapshot(connection, stream) as taken:
        about = to_json(taken.of.model_dump(mode="json", exclude={"error"}), indent=2)
        archive.writestr(_backup_json(stream), about)
        digest = hashlib.sha256()
        with archive.open(_tar(stream), "w", force_zip64=True) as entry:
            async for chunk in taken.chunks:
                entry.write(chunk)
                digest.update(chunk)
        return taken.of, {_backup_json(stream): _sha256(about), _tar(stream): digest.hexdigest()}


async def _part(connection: Connection, copied: Copied, files: Mapping[str, str]) -> Part:
    state, stream = copied.state, copied.config.name
    count, content = await _content(connection, copied.config, state.last_seq)
    if count != state.messages:
        raise _Changed
    return Part(stream=stream, files=files, messages=count, bytes=state.bytes, last_seq=state.last_seq, content=content)


async def _content(connection: Connection, config: StreamConfig, last_seq: int) -> tuple[int, str]:
    """How many messages a stream has up to a sequence, and their digest."""
    digest, count = hashlib.sha256(), 0
    async with aclosing(read(connection, config.name, config.subjects, ahead=AHEAD)) as messages:
        async for message in messages:
            if message.seq > last_seq:
                break
            headers = sorted(message.headers.items())
            digest.update(to_json([message.seq, message.stamp, message.subject, headers, len(message.data)]))
            digest.update(message.data)
            count += 1
    return count, digest.hexdigest()


def _lost(state: StreamState) -> int:
    """How many messages were ever removed from a stream."""
    return state.last_seq - state.messages


# the file


@contextmanager
def _whole(file: Path) -> Iterator[IO[bytes]]:
    """A file beside it, for its owner only, that takes its name at the end of the block and is gone if that fails."""
    partial_ = file.with_name(f".{file.name}.{os.getpid()}.partial")
    if file.exists():
        raise UsageError(f"{file} exists already", "a backup is not overwritten", "Choose another name.")
    try:
        with os.fdopen(os.open(partial_, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as output:
            yield output
            output.flush()
            os.fsync(output.fileno())
        partial_.rename(file)
    except OSError as error:
        raise UsageError(f"{file} cannot be written", error.strerror or str(error), "Choose another place.") from None
    finally:
        partial_.unlink(missing_ok=True)


@contextmanager
def _opened(file: Path) -> Iterator[ZipFile]:
    try:
        with ZipFile(file) as archive:
            yield archive
    except OSError as error:
        raise UsageError(f"{file} cannot be read", error.strerror or str(error), "Check the path.") from None
    except BadZipFile as error:
        raise Unreadable(f"{file} is no whole backup", str(error), "Use another backup.") from None


def _checked(archive: ZipFile, digest: str) -> Manifest:
    """The manifest, after every file was compared with it. Raises Unreadable."""
    try:
        manifest = Manifest.model_validate_json(archive.read(MANIFEST))
    except (KeyError, ValidationError):
        raise Unreadable("this is no backup of hustings", f"it has no {MANIFEST} that can be read") from None
    if manifest.format != FORMAT:
        raise Unreadable(
            "the backup is of another version of hustings", f"its format is {manifest.format}, not {FORMAT}"
        )
    if digest and digest != manifest.digest:
        raise Unreadable("this is not the backup that is meant", f"its digest is {manifest.digest}")
    for part in (part for parts in manifest.teams.values() for part in parts):
        for name, wanted in part.files.items():
            if _file_digest(archive, name) != wanted:
                raise Unreadable("the backup was changed", f"{name} is not what was written", "Use another backup.")
    return manifest


def _file_digest(archive: ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    try:
        for piece in _pieces(archive, name):
            digest.update(piece)
    except (KeyError, BadZipFile):
        return ""
    return digest.hexdigest()


def _pieces(archive: ZipFile, name: str) -> Iterator[bytes]:
    with archive.open(name) as entry:
        yield from iter(partial(entry.read, CHUNK), b"")


def _parts_of(manifest: Manifest, team: str) -> tuple[Part, ...]:
    if team not in manifest.teams:
        raise NotFound(f"the backup has no team {team}", f"it has {', '.join(manifest.teams) or 'none'}")
    return manifest.teams[team]


def _backup_json(stream: str) -> str:
    return f"{stream}/backup.json"


def _tar(stream: str) -> str:
    return f"{stream}/stream.tar.s2"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# bringing it back


async def _missing(connection: Connection, team: str, parts: Sequence[Part]) -> list[Part]:
    """What the broker lacks: all, if it has no log of the team, or an empty one, or nothing. The blobs come first.

    Raises UsageError: the team is running, or has something else here.
    """
    if running := {present.name for present in await Live(connection, Subjects(team)).roll_call(timing.ROLL_CALL)}:
        why = f"{', '.join(sorted(running))} would not see what is restored"
        raise UsageError(f"team {team} is running on this broker", why, "Stop it first, with `hustings down`.")
    log = await stream_info(connection, Subjects(team).stream())
    if log is None or not log.state.messages:
        return [*reversed(parts)]
    if other := [part.stream for part in parts if not await _has(connection, part)]:
        why = f"{' and '.join(other)} is not what the backup has"
        raise UsageError(f"team {team} has something else on this broker", why, "Restore into a broker without it.")
    return []


async def _has(connection: Connection, part: Part) -> bool:
    """True if the broker has exactly what the backup has of a stream."""
    info = await stream_info(connection, part.stream)
    found = info and await _content(connection, info.config, info.state.last_seq)
    return found == (part.messages, part.content)


async def _restore(connection: Connection, archive: ZipFile, part: Part) -> None:
    copied = Copied.model_validate_json(archive.read(_backup_json(part.stream)))
    if await stream_info(connection, part.stream):
        await _delete(connection, part.stream)

    async def make(config: dict[str, JsonValue]) -> None:
        await restore(connection, copied, StreamConfig.model_validate(config), _sent(archive, _tar(part.stream)))

    await fitted(_sizes(copied), make)
    if await _content(connection, copied.config, part.last_seq) != (part.messages, part.content):
        await _delete(connection, part.stream)
        raise BackupFailed(
            f"the stream {part.stream} was not restored", "the broker has other messages than the backup"
        )


def _sizes(copied: Copied) -> list[dict[str, JsonValue]]:
    """The configuration that it had; and with a smaller limit, where the servers have less room, but all fits in."""
    config = copied.config.model_dump(mode="json")
    had = copied.config.max_bytes
    return [config, *({**config, "max_bytes": size} for size in SIZES if copied.state.bytes <= size < had)]


async def _sent(archive: ZipFile, name: str) -> AsyncIterator[bytes]:
    for piece in _pieces(archive, name):
        yield piece


async def _delete(connection: Connection, stream: str) -> None:
    await persist(lambda: call(connection, f"STREAM.DELETE.{stream}", {}, Reply, timeout=5))
