"""Packing: turns a file or folder into bytes that depend on its content only, and back. Blocking: use a thread."""

import gzip
import io
import os
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Literal, NamedTuple

from hustings.protocols import Blob, Unreadable, UsageError

LIMIT = 256 * 2**20  # bytes, before compression
LEFT_OUT = (
    ".git", ".venv", "venv", "node_modules", "__pycache__", ".hustings", "*.egg-info", ".mypy_cache", ".ruff_cache",
    ".pytest_cache", ".tox", ".hypothesis",
)  # fmt: skip


class Packed(NamedTuple):
    """`folder`: the path of the folder that was meant within the one that is packed; empty: all of it."""

    data: bytes
    name: str
    kind: Literal["file", "folder"]
    folder: str = ""


def pack(path: Path, tracked: bool = False) -> Packed:
    """The bytes of a file, or a tar.gz of a folder. With `tracked`, for a folder with files that git tracks: of all
    tracked files of its checkout, so that whatever they share is there; where there is no room for all around the
    folder, the largest stay behind. Raises UsageError."""
    if path.is_dir():
        root = path.resolve()
        top = _checkout(root) if tracked else None
        if top is None:
            return Packed(_archive(root, _walk(root)), root.name, "folder")
        folder = "" if top == root else root.relative_to(top).as_posix()
        return Packed(_archive(top, _with_room(_tracked(top), root)), top.name, "folder", folder)
    if not path.is_file():
        raise UsageError(f"cannot read {path}", "no such file or folder", "Check the path.")
    _bound(path, path.stat().st_size)
    return Packed(path.read_bytes(), path.name, "file")


def unpack(blob: Blob, data: bytes, into: Path) -> Path:
    """Write the packed file or folder, under its name, below the folder `into`; gives the path of what was meant.

    Raises Unreadable: a bad archive.
    """
    name = Path(blob.name).name or blob.digest.partition(":")[2][:12]
    target = into / name
    into.mkdir(parents=True, exist_ok=True)
    if blob.kind == "file":
        target.write_bytes(data)
        return target
    target.mkdir(exist_ok=True)
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
            if sum(member.size for member in archive) > LIMIT:
                raise Unreadable(f"the folder {name} is too large", f"more than {LIMIT} bytes")
            root = target.resolve()
            for member in archive:
                _extract(archive, member, root)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise Unreadable(f"the folder {name} cannot be unpacked", str(error)) from None
    meant = target / blob.folder
    if not (meant.is_dir() and meant.resolve().is_relative_to(root)):
        raise Unreadable(f"the folder {name} cannot be unpacked", f"it has no folder {blob.folder}")
    return meant


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, root: Path) -> None:
    """Write one member, below the root only. (The filters of extractall are newer than Python 3.11.0.)"""
    place = root / member.name
    folder = place.parent.resolve()
    link = (folder / member.linkname).resolve() if member.issym() else folder
    if not folder.is_relative_to(root) or not link.is_relative_to(root) or place.is_symlink() or place == root:
        raise Unreadable("the folder cannot be unpacked", f"{member.name} lies outside of it")
    place.parent.mkdir(parents=True, exist_ok=True)
    if member.isdir():
        place.mkdir(exist_ok=True)
    elif member.issym():
        place.symlink_to(member.linkname)
    elif data := archive.extractfile(member):
        place.write_bytes(data.read())
        place.chmod(0o755 if member.mode & 0o100 else 0o644)


def _archive(root: Path, paths: Iterable[Path]) -> bytes:
    size, output = 0, io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=output, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in paths:
            info = _member(root, path)
            size += info.size
            _bound(root, size)
            if info.isreg():
                with path.open("rb") as file:
                    archive.addfile(info, file)
            else:
                archive.addfile(info)
    return output.getvalue()


def _checkout(root: Path) -> Path | None:
    """The top folder of the checkout, if git tracks files in this folder; else None."""
    try:
        top = os.fsdecode(_git(root, "rev-parse", "--show-toplevel").removesuffix(b"\n"))
        return Path(top) if _git(root, "ls-files", "-z", "--", ".") else None
    except (OSError, subprocess.CalledProcessError):
        return None


def _tracked(top: Path) -> list[Path]:
    """The files and links that git tracks, in submodules too. A link out of the checkout is no part of it."""
    listed = _git(top, "ls-files", "-z", "--recurse-submodules")
    paths = [top / os.fsdecode(name) for name in sorted(set(listed.split(b"\0"))) if name]
    return [path for path in paths if (_inside(top, path) if path.is_symlink() else path.is_file())]


def _with_room(paths: list[Path], root: Path) -> list[Path]:
    """Those in the root, and of those around it as many as fit, the smallest first; in the order given."""
    sizes = {path: path.lstat().st_size for path in paths}
    size = 0
    chosen = set[Path]()
    for path in sorted(paths, key=lambda path: (not path.is_relative_to(root), sizes[path], path)):
        size += sizes[path]
        if path.is_relative_to(root) or size <= LIMIT:
            chosen.add(path)
    return [path for path in paths if path in chosen]


def _git(folder: Path, *words: str) -> bytes:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}  # of the hook we are in
    return subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=True, env=env).stdout


def _inside(root: Path, link: Path) -> bool:
    return Path(os.path.realpath(link)).is_relative_to(root)


def _walk(root: Path) -> Iterator[Path]:
    """Files, folders and links below the root, in an order that does not depend on the file system."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not _left_out(name))
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        plain = [name for name in folders if name not in links]
        for name in sorted([*plain, *links, *(name for name in files if not _left_out(name))]):
            path = Path(folder) / name
            if path.is_symlink() or path.is_file() or path.is_dir():  # no sockets, pipes or devices
                yield path


def _member(root: Path, path: Path) -> tarfile.TarInfo:
    info = tarfile.TarInfo(str(path.relative_to(root)))
    if path.is_symlink():
        info.type, info.linkname = tarfile.SYMTYPE, _target(root, path)
    elif path.is_dir():
        info.type, info.mode = tarfile.DIRTYPE, 0o755
    else:
        status = path.stat()
        info.size, info.mode = status.st_size, 0o755 if status.st_mode & 0o100 else 0o644
    return info


def _target(root: Path, link: Path) -> str:
    to = Path(os.path.realpath(link.parent / link.readlink()))
    if not to.is_relative_to(root):
        raise UsageError(
            f"cannot pack {root}", f"{link.relative_to(root)} links to {to}, outside of it", "Remove the link."
        )
    return os.path.relpath(to, link.parent)


def _left_out(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in LEFT_OUT)


def _bound(path: Path, size: int) -> None:
    if size > LIMIT:
        raise UsageError(f"{path} is too large", f"more than {LIMIT // 2**20} MiB", "Give a smaller folder.")
