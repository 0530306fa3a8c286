"""Blob: bytes that are too large to be said, by reference."""

from typing import Literal

from .message import Count, Message


class Blob(Message, contract="hustings.Blob.v1"):
    """A file, or a packed folder, kept in the bus's object store under the digest of its bytes.

    A goal's field of this type (or of a subclass) is a *path* on the command line: the client packs and uploads it.
    """

    digest: str
    size: Count
    name: str = ""
    kind: Literal["file", "folder"] = "file"
