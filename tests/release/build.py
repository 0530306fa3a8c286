"""The files of a release: the same bytes whenever they are built from one commit."""

import gzip
import hashlib
import io
import os
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from packaging.metadata import Metadata

from .step import Release, Wrong, git, output

LAYERS = ("agents", "bus", "examples", "protocols")
ABOUT = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "top_level.txt", "licenses/LICENSE", "licenses/NOTICE")


def built(release: Release) -> str:
    """The source distribution from the commit, the wheel from that; a second time it gives the same bytes."""
    release.dist.mkdir(exist_ok=True)
    first, again = (_build(release.scratch / name) for name in ("first", "again"))
    for file in (release.sdist, release.wheel):
        raw = (first / file.name).read_bytes()
        if (again / file.name).read_bytes() != raw:
            raise Wrong(
                f"{file.name} is not reproducible", "two builds gave different bytes", "Compare them: diffoscope."
            )
        file.write_bytes(raw)
    return ", ".join(f"{file.name} {_digest(file)}" for file in (release.sdist, release.wheel))


def _build(folder: Path) -> Path:
    """A folder with both files, built from what is committed and nothing else."""
    when = git("log", "-1", "--format=%ct")
    sources, files = folder / "sources", folder / "dist"
    sources.mkdir(parents=True)
    git("archive", f"--output={folder}/sources.tar", "HEAD")
    output("tar", "-xf", folder / "sources.tar", "-C", sources)
    env = {**os.environ, "SOURCE_DATE_EPOCH": when}
    output(sys.executable, "-m", "build", "--no-isolation", "--outdir", files, sources, env=env)
    (sdist,) = files.glob("*.tar.gz")
    sdist.write_bytes(repacked(sdist, int(when)))
    return files


def repacked(sdist: Path, when: int) -> bytes:
    """The same files without the time, the user and the group of this build: setuptools writes them."""
    packed = io.BytesIO()
    with tarfile.open(sdist) as old, tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as new:
        for member in sorted(old.getmembers(), key=lambda each: each.name):
            member.mtime, member.uid, member.gid, member.uname, member.gname = when, 0, 0, "", ""
            member.pax_headers = {}
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
    return gzip.compress(packed.getvalue(), mtime=when)


def _digest(file: Path) -> str:
    return f"sha256 {hashlib.sha256(file.read_bytes()).hexdigest()[:16]}…"


def metadata(release: Release) -> str:
    """The metadata is what an index accepts, and the same in both files."""
    with zipfile.ZipFile(release.wheel) as wheel, tarfile.open(release.sdist) as sdist:
        raw = wheel.read(f"hustings-{release.version}.dist-info/METADATA")
        inside = sdist.extractfile(f"hustings-{release.version}/PKG-INFO")
        if inside is None or inside.read() != raw:
            raise Wrong("wheel and sdist differ", "METADATA is not PKG-INFO", "Build both from one commit.")
    try:
        read = Metadata.from_email(raw)
    except ExceptionGroup as group:
        raise Wrong("the metadata is invalid", "; ".join(map(str, group.exceptions)), "Mend pyproject.toml.") from None
    if (str(read.version), read.description_content_type) != (release.version, "text/markdown") or not read.description:
        raise Wrong("the metadata is incomplete", "version, or the README as Markdown", "Mend pyproject.toml.")
    return f"version {read.metadata_version}, {len(read.requires_dist or ())} requirements"


def contents(release: Release) -> str:
    """The wheel has what git has of the packages, typed and with their data, and nothing else."""
    with zipfile.ZipFile(release.wheel) as wheel:
        packed = set(wheel.namelist())
    wanted = set(_wanted(release.version))
    if packed != wanted:
        raise Wrong(
            "the wheel has not what it should have",
            f"missing: {sorted(wanted - packed) or 'none'}; too much: {sorted(packed - wanted) or 'none'}",
            "See [tool.setuptools] in pyproject.toml.",
        )
    return f"{len(packed)} files, {sum(name.endswith('py.typed') for name in packed)} of them py.typed; no tests"


def _wanted(version: str) -> Iterator[str]:
    yield from git("ls-files", "hustings").split()
    yield from (f"hustings/{name}" for name in git("ls-files", *LAYERS).split())
    yield from (f"hustings-{version}.dist-info/{name}" for name in ABOUT)
