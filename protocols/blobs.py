"""Blob: a reference to bytes that are too large for a message."""

from typing import ClassVar, Literal

from .message import Count, Message, later


class Blob(Message, contract="hustings.Blob.v1"):
    """A file, or a packed folder, in the object store, under the digest of its bytes.

    A goal's field of this type (or a subclass) is a *path* on the command line; the client packs and uploads it. Where
    a subclass sets `tracked`, a folder in a git checkout travels with the whole checkout, but only the files that git
    tracks; then `folder` is its path in the checkout.
    """

    tracked: ClassVar[bool] = False

    digest: str
    size: Count
    name: str = ""
    kind: Literal["file", "folder"] = "file"
    folder: str = later("")
