"""Packages: what the board is accepted by, fetched once and then offline."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


class NotFetched(Exception):
    """The package index did not give it. The first time the network is needed."""


@dataclass(frozen=True)
class Package:
    """A release with tests in it: in its wheel, or else in its source distribution."""

    name: str
    version: str
    why: str
    wheel: bool = False

    @property
    def stem(self) -> str:
        """Name and version, as its files are called."""
        return f"{self.name}-{self.version}"

    def fetch(self, cache: Path) -> Path:
        """The unpacked release. Raises NotFetched."""
        folder = cache / self.stem
        if not folder.is_dir():
            archive = self._download(cache)
            fresh = cache / f"{self.stem}.new"
            shutil.rmtree(fresh, ignore_errors=True)
            shutil.unpack_archive(archive, fresh, "zip" if self.wheel else None)
            (fresh if self.wheel else fresh / self.stem).rename(folder)
            shutil.rmtree(fresh, ignore_errors=True)
        return folder

    def _download(self, cache: Path) -> Path:
        kind = "--only-binary" if self.wheel else "--no-binary"
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
        ran = subprocess.run([*pip, kind, ":all:", "-d", str(cache), f"{self.name}=={self.version}"], check=False)
        found = sorted([*cache.glob(f"{self.stem}*.whl"), *cache.glob(f"{self.stem}.tar.gz")])
        if ran.returncode or not found:
            raise NotFetched(self.stem)
        return found[0]


PACKAGES = (
    Package("simplejson", "4.3.0", "the demo's target", wheel=True),
    Package("toolz", "1.2.0", "codespell breaks it", wheel=True),
    Package("pluggy", "1.7.0", "src layout, imports ordered by its own settings"),
    Package("cachetools", "8.0.1", "src layout, unittest"),
    Package("tabulate", "0.10.0", "old code without settings, noqa comments"),
    Package("attrs", "26.1.0", "src layout, strict ruff settings, red before"),
)
