"""Object store: bytes under the digest of their content, in a NATS object store (ADR-20) that any client can read."""

import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import time
from typing import Literal, NamedTuple

import anyio.to_thread
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from hustings.protocols import Blob, NotFound, Subjects, Unreadable, timing
from hustings.protocols.envelope import uuid7

from ..client.connection import Connection
from ..client.fence import Fence, Sealed, append_one
from ..client.jetstream import (
    WRONG_LAST,
    Arrived,
    JetStreamError,
    Kept,
    erase,
    last,
    persist,
    publish,
    purge,
    subjects_of,
)
from ..client.ordered_consumer import read
from ..failpoints import failpoint
from .archive import pack, unpack
from .layout import object_stream

CHUNK = 256 * 1024  # bytes
AHEAD = 8  # chunks in memory while the whole store is read
DIGEST = re.compile(rb"sha256:[0-9a-f]{64}")
LENGTH = 71  # bytes of a digest
_ROLLUP = {"Nats-Rollup": "sub"}


class _Info(BaseModel):
    """The metadata of one object."""

    nuid: str
    size: int = 0
    chunks: int = 0
    digest: str = ""
    deleted: bool = False


class StoredBlob(NamedTuple):
    """A blob as it lies in the store: under which id its chunks lie, the sequence of its entry, when it was put last.

    Chunks that no entry names, left by a writer that died, are one with the digest "" and the sequence 0.
    """

    digest: str
    chunks: str
    seq: int
    time: float
    size: int


class ObjectStore:
    """The team's object store."""

    def __init__(self, connection: Connection, subjects: Subjects) -> None:
        self._connection = connection
        self._stream = object_stream(subjects)
        self._bucket = subjects.bucket()

    async def put(self, data: bytes, *, name: str = "", kind: Literal["file", "folder"] = "file") -> Blob:
        """Store the bytes, unless they are stored already. Raises BusFull, Unanswered, Denied.

        The blob stays for half an hour, and for half a day if a run stores it while it is under way; and then for as
        long as something on the log, or in another blob that stays, names its digest.
        """
        blob = Blob(digest=_digest(data), size=len(data), name=name, kind=kind)
        if not await self._renew(blob.digest):
            failpoint("blob.before", digest=blob.digest)
            await self._send(blob.digest, data)
            failpoint("blob.after", digest=blob.digest)
        return blob

    async def get(self, blob: Blob | str) -> bytes:
        """The bytes of a blob, or of a digest. Raises NotFound, or Unreadable if they do not match the digest."""
        digest = blob if isinstance(blob, str) else blob.digest
        kept = await last(self._connection, self._stream, self._entry(digest))
        info = _info(kept, digest) if kept else None
        if info is None:
            raise NotFound(f"there is no blob {digest}")
        chunks = [chunk.data async for chunk in read(self._connection, self._stream, [self._chunks(info.nuid)])]
        data = b"".join(chunks)
        if _digest(data) != digest:
            raise Unreadable(
                f"the blob {digest} is damaged", f"{len(data)} of {info.size} bytes in {len(chunks)} chunks"
            )
        return data

    async def put_path(self, path: Path, *, tracked: bool = False) -> Blob:
        """Store a file, or a packed folder without caches and build products. The same content has the same digest.
        With `tracked`, a folder in a git checkout is packed with the whole checkout, but only what git tracks.

        Raises UsageError: no such path, a link out of the folder, or more than 256 MiB.
        """
        packed = await anyio.to_thread.run_sync(pack, path, tracked)
        blob = await self.put(packed.data, name=packed.name, kind=packed.kind)
        return blob.model_copy(update={"folder": packed.folder})

    async def unpack(self, blob: Blob, into: Path) -> Path:
        """Write the file or folder below the folder `into`; gives the path of what was meant. Raises NotFound,
        Unreadable."""
        data = await self.get(blob)
        return await anyio.to_thread.run_sync(unpack, blob, data, into)

    # what is in it, and how it goes

    async def stored(self) -> list[StoredBlob]:
        """All that is in the store now, but for what other programs put there under names that are no digests."""
        lost = await subjects_of(self._connection, self._stream, self._chunks(">"))
        found: list[StoredBlob] = []
        async for message in read(self._connection, self._stream, [self._meta(">")]):
            if blob := _stored(message):
                found.append(blob)
                lost.discard(self._chunks(blob.chunks))
        ends = [await last(self._connection, self._stream, subject) for subject in lost]
        return found + [_lost(kept) for kept in ends if kept]

    async def named(self) -> dict[str, set[str]]:
        """The digests that stand in the bytes of each blob, by the id of its chunks. Reads the whole store."""
        found: dict[str, set[str]] = {}
        ends: dict[str, bytes] = {}  # a digest may begin in one chunk and end in the next
        async for chunk in read(self._connection, self._stream, [self._chunks(">")], ahead=AHEAD):
            chunks = chunk.subject.rpartition(".")[2]
            data = ends.get(chunks, b"") + chunk.data
            if digests := digests_in(data):
                found.setdefault(chunks, set()).update(digests)
            ends[chunks] = data[1 - LENGTH :]
        return found

    async def delete(self, blob: StoredBlob) -> bool:
        """Remove a blob. False, and it stays, if somebody has put it again since."""
        if blob.seq and not await erase(self._connection, self._stream, blob.seq):
            return False
        await purge(self._connection, self._stream, self._chunks(blob.chunks))
        return True

    async def _renew(self, digest: str) -> bool:
        """True if the blob is there. An old entry is written again: it is young for whoever looks what may go."""
        kept = await last(self._connection, self._stream, subject := self._entry(digest))
        if kept is None or _info(kept, digest) is None:
            return False
        if time() - kept.time.timestamp() < timing.BLOB_UNNAMED / 2:
            return True
        headers = Fence(subject, kept.seq).headers() | _ROLLUP
        try:
            await persist(lambda: publish(self._connection, self._stream, subject, kept.data, headers))
        except JetStreamError as error:
            if error.code not in WRONG_LAST:
                raise
            return await self._renew(digest)  # somebody else has written it again, or removed it
        return True

    async def _send(self, digest: str, data: bytes) -> None:
        nuid = uuid7().hex
        fence = Fence(self._chunks(nuid), 0)
        chunks = 0
        for chunk in _chunked(data):
            message = Sealed(fence.subject, chunk)
            fence = fence._replace(after=await append_one(self._connection, self._stream, [message], fence))
            chunks += 1
        entry = {
            "name": digest,
            "bucket": self._bucket,
            "nuid": nuid,
            "size": len(data),
            "chunks": chunks,
            "digest": "SHA-256=" + urlsafe_b64encode(hashlib.sha256(data).digest()).decode(),
            "mtime": datetime.now(UTC),
            "options": {"max_chunk_size": CHUNK},
        }
        await persist(lambda: publish(self._connection, self._stream, self._entry(digest), to_json(entry), _ROLLUP))

    def _entry(self, digest: str) -> str:
        return self._meta(urlsafe_b64encode(digest.encode()).decode())

    def _meta(self, name: str) -> str:
        return f"$O.{self._bucket}.M.{name}"

    def _chunks(self, nuid: str) -> str:
        return f"$O.{self._bucket}.C.{nuid}"


def digests_in(data: bytes) -> set[str]:
    """The digests of blobs that stand in these bytes, wherever."""
    return {digest.decode() for digest in DIGEST.findall(data)}


def _info(kept: Kept, digest: str) -> _Info | None:
    """The entry of a blob; None if another program has deleted it. Raises Unreadable."""
    try:
        info = _Info.model_validate_json(kept.data)
    except ValidationError:
        raise Unreadable(f"the entry of the blob {digest} is damaged") from None
    return None if info.deleted else info


def _lost(chunk: Kept) -> StoredBlob:
    return StoredBlob("", chunk.subject.rpartition(".")[2], 0, chunk.time.timestamp(), 0)


def _stored(message: Arrived) -> StoredBlob | None:
    """The blob of an entry; None if it is no entry of a blob."""
    name = message.subject.rpartition(".")[2]
    try:
        digest, info = urlsafe_b64decode(name).decode(), _Info.model_validate_json(message.data)
    except ValueError:  # pydantic's ValidationError too
        return None
    known = DIGEST.fullmatch(digest.encode())
    return StoredBlob(digest, info.nuid, message.seq, message.time, info.size) if known else None


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _chunked(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), CHUNK):
        yield data[start : start + CHUNK]
