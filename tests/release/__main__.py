"""`make release`: all of a release but the upload. `python -m tests.release [STEP...]` runs only these steps.

It uploads nothing and tags nothing; at its end it prints the command that does.
"""

import shutil
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from . import before, build, trial
from .step import ROOT, Release, Wrong, git, output

Step = tuple[str, Callable[[Release], str]]


def steps() -> Iterator[Step]:
    """All steps by name, what is quick first."""
    yield "tree", before.tree
    yield "version", before.version
    yield "changelog", before.changelog
    yield "api", before.api
    yield "messages", before.messages
    yield "golden", before.golden
    found = trial.pythons()
    yield "pythons", lambda _: trial.check_promised([*found])
    yield "check", check
    yield "build", build.built
    yield "metadata", build.metadata
    yield "contents", build.contents
    for full, python in found.items():
        yield full, partial(trial.trial, full=full, python=python)


def check(_: Release) -> str:
    """Lint and all tests."""
    passed = [line.strip("= ") for line in output("make", "check", within=5400).splitlines() if " passed" in line]
    return "; ".join(passed)


def run(step: Step, release: Release) -> bool:
    """Run a step and print what came of it; False if it failed."""
    name, function = step
    began = time.monotonic()
    try:
        said, right = function(release), True
    except Wrong as error:
        said, right = str(error), False
    print(f"{name:10} {'ok  ' if right else 'FAIL'} {time.monotonic() - began:6.1f} s  {said}", flush=True)
    return right


def main(names: list[str]) -> int:
    """Run the steps up to the first one that fails."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    tags = [
        tag
        for tag in git("tag", "--merged", "HEAD", "--sort=-v:refname", "--list", "v*").split()
        if tag != f"v{version}"
    ]
    wanted = [step for step in steps() if step[0] in names or not names]
    release = Release(version, next(iter(tags), ""), Path(tempfile.mkdtemp(prefix="hustings-release-")))
    if not all(run(step, release) for step in wanted):
        return 1  # the scratch folder stays, to look at
    shutil.rmtree(release.scratch)
    if not names:
        print(f"\n{release.version} is ready. This command, which was not run, releases it:\n\n    {upload(release)}")
    return 0


def upload(release: Release) -> str:
    """The command that uploads and tags."""
    tag, files = f"v{release.version}", f"dist/{release.sdist.name} dist/{release.wheel.name}"
    return f"git tag {tag} && pipx run twine upload {files} && git push origin {tag}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
