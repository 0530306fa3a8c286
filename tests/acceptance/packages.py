"""Packages: what the board is accepted by. Source distributions, pinned by hashes, fetched once."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PINS = Path(__file__).with_name("packages.txt")
LINE = re.compile(
    r"(?P<pin>(?P<name>\S+)==(?P<version>\S+) --hash=\S+)  # (?P<shape>[^;]+); (?P<tests>[^;]*)(?P<quick>; quick)?"
)
CACHE = Path.home() / ".cache" / "hustings-acceptance"
MONOREPO = "monorepo"


class NotFetched(Exception):
    """The package index did not give it. The first time the network is needed."""


@dataclass(frozen=True)
class Release:
    """One source distribution."""

    pin: str
    name: str
    version: str

    def fetch(self, cache: Path) -> Path:
        """The unpacked release. Raises NotFetched."""
        place = cache / f"{self.name}-{self.version}"
        if not place.is_dir():
            fresh = cache / f"{place.name}.{os.getpid()}"
            fresh.mkdir(parents=True)
            shutil.unpack_archive(self._download(fresh), fresh / "in", filter="data")
            (fresh / "in").rename(place)
            shutil.rmtree(fresh)
        [folder] = place.iterdir()
        return folder

    def _download(self, fresh: Path) -> Path:
        pins = fresh / "pins.txt"
        pins.write_text(self.pin)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
        only = ["--require-hashes", "--no-binary", self.name, "-r", str(pins), "-d", str(fresh)]
        ran = subprocess.run([*pip, *only], capture_output=True, text=True, check=False)
        found = [*fresh.glob("*.tar.gz"), *fresh.glob("*.zip")]
        if ran.returncode or not found:
            raise NotFetched(f"{self.name} {self.version}: {ran.stderr.strip()[-300:]}")
        return found[0]


@dataclass(frozen=True)
class Package:
    """What is reviewed: a release, or several as projects of one folder. `shape`: how its files lie. `tests`: what the
    judge gives pytest; empty: nothing. `quick`: CI reviews it too."""

    releases: tuple[Release, ...]
    shape: str
    tests: tuple[str, ...]
    quick: bool

    @property
    def name(self) -> str:
        """Its names and versions."""
        return ", ".join(f"{each.name} {each.version}" for each in self.releases)

    def lay(self, place: Path, cache: Path = CACHE) -> Path:
        """A copy of the release in a folder of `place`, or a monorepo of them. Raises NotFetched."""
        found = [each.fetch(cache) for each in self.releases]
        if len(found) == 1:
            return shutil.copytree(found[0], place / found[0].name, symlinks=True)
        for folder, release in zip(found, self.releases, strict=True):
            shutil.copytree(folder, place / MONOREPO / "packages" / release.name, symlinks=True)
        return place / MONOREPO


def packages() -> list[Package]:
    """All of packages.txt, in its order; the last is the monorepo."""
    found = [LINE.fullmatch(line) for line in PINS.read_text().splitlines() if not line.startswith("#")]
    lines = [(Release(each["pin"], each["name"], each["version"]), each) for each in found if each]
    alone = [
        Package((release,), each["shape"], tuple(each["tests"].split()), bool(each["quick"]))
        for release, each in lines
        if each["shape"] != MONOREPO
    ]
    together = tuple(release for release, each in lines if each["shape"] == MONOREPO)
    return [*alone, Package(together, MONOREPO, (), False)]
