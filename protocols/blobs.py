"""Blob: a reference to bytes that are too large for a message."""

from typing import ClassVar, Literal

from .message import Count, Message


class Blob(Message, contract="hustings.Blob.v1"):
    """A file, or a packed folder, in the object store, under the digest of its bytes.

    A goal's field of this type (or a subclass) is a *path* on the command line; the client packs and uploads it. Where
    a subclass sets `tracked`, only those files of a git checkout travel that git tracks.
    """

    tracked: ClassVar[bool] = False

    digest: str
    size: Count
    name: str = ""
    kind: Literal["file", "folder"] = "file"
