"""Object store: bytes under the digest of their content, in a NATS object store (ADR-20) that any client can read."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import anyio.to_thread
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from hustings.protocols import Blob, NotFound, Subjects, Unreadable
from hustings.protocols.envelope import uuid7

from ..client.connection import Connection
from ..client.fence import Fence, Sealed, append_one
from ..client.jetstream import last, persist, publish
from ..client.ordered_consumer import read
from ..failpoints import failpoint
from .archive import pack, unpack
from .layout import object_stream

CHUNK = 256 * 1024  # bytes


class _Info(BaseModel):
    """The metadata of one object."""

    nuid: str
    size: int = 0
    chunks: int = 0
    digest: str = ""
    deleted: bool = False


class ObjectStore:
    """The team's object store."""

    def __init__(self, connection: Connection, subjects: Subjects) -> None:
        self._connection = connection
        self._stream = object_stream(subjects)
        self._bucket = subjects.bucket()

    async def put(self, data: bytes, *, name: str = "", kind: Literal["file", "folder"] = "file") -> Blob:
        """Store the bytes, unless they are stored already. Raises BusFull, Unanswered, Denied."""
        blob = Blob(digest=_digest(data), size=len(data), name=name, kind=kind)
        if not await self._look(blob.digest):
            failpoint("blob.before", digest=blob.digest)
            await self._send(blob.digest, data)
            failpoint("blob.after", digest=blob.digest)
        return blob

    async def get(self, blob: Blob | str) -> bytes:
        """The bytes of a blob, or of a digest. Raises NotFound, or Unreadable if they do not match the digest."""
        digest = blob if isinstance(blob, str) else blob.digest
        info = await self._look(digest)
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
        With `tracked`, only those files of a git checkout are packed that git tracks.

        Raises UsageError: no such path, a link out of the folder, or more than 256 MiB.
        """
        packed = await anyio.to_thread.run_sync(pack, path, tracked)
        return await self.put(packed.data, name=packed.name, kind=packed.kind)

    async def unpack(self, blob: Blob, into: Path) -> Path:
        """Write the file or folder below the folder `into` and return its path. Raises NotFound, Unreadable."""
        data = await self.get(blob)
        return await anyio.to_thread.run_sync(unpack, blob, data, into)

    async def _look(self, digest: str) -> _Info | None:
        kept = await last(self._connection, self._stream, self._entry(digest))
        try:
            info = _Info.model_validate_json(kept.data) if kept else None
        except ValidationError:
            raise Unreadable(f"the entry of the blob {digest} is damaged") from None
        return None if info is None or info.deleted else info

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
        headers = {"Nats-Rollup": "sub"}
        await persist(lambda: publish(self._connection, self._stream, self._entry(digest), to_json(entry), headers))

    def _entry(self, digest: str) -> str:
        return f"$O.{self._bucket}.M.{urlsafe_b64encode(digest.encode()).decode()}"

    def _chunks(self, nuid: str) -> str:
        return f"$O.{self._bucket}.C.{nuid}"


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _chunked(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), CHUNK):
        yield data[start : start + CHUNK]
