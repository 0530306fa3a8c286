"""Step: what the steps of a release share."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Wrong(Exception):
    """The release cannot be made: what is wrong, why, and what to do."""

    def __init__(self, what: str, why: str, do: str) -> None:
        super().__init__(f"{what}: {why}. {do}")


@dataclass(frozen=True)
class Release:
    """What is released. `last`: the tag of the release before, if there is one; `scratch`: a folder to work in."""

    version: str
    last: str
    scratch: Path

    @property
    def dist(self) -> Path:
        """Where the files to upload go."""
        return ROOT / "dist"

    @property
    def wheel(self) -> Path:
        """The wheel, once it is built."""
        return self.dist / f"hustings-{self.version}-py3-none-any.whl"

    @property
    def sdist(self) -> Path:
        """The source distribution, once it is built."""
        return self.dist / f"hustings-{self.version}.tar.gz"


def git(*args: str) -> str:
    """What git prints."""
    return output("git", "-C", str(ROOT), *args).rstrip()


def output(
    *command: str | Path, cwd: Path = ROOT, env: Mapping[str, str] | None = None, within: float = 600, code: int = 0
) -> str:
    """What a command prints on stdout. Raises Wrong if it ends with another code, or takes longer (in seconds)."""
    said = " ".join(map(str, command))
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=env,
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise Wrong(f"`{said}` took more than {within:g} s", "it may hang", f"Run it in {cwd}.") from None
    if done.returncode != code:
        last = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-5:]
        raise Wrong(f"`{said}` ended with {done.returncode}", " | ".join(last), f"Run it in {cwd}.")
    return done.stdout
