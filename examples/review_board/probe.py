"""Run as a script by the interpreter of a repository: print as JSON what it has. Imports nothing of ours."""

import json
import sys
from importlib import metadata

DISTRIBUTIONS = {
    "pytest": "pytest",
    "xdist": "pytest-xdist",
    "pytest_cov": "pytest-cov",
    "pytest_randomly": "pytest-randomly",
}


def version(distribution: str) -> str:
    """Its version; empty if it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def main() -> None:
    """Write each version, and the interpreter's own."""
    found = {name: version(distribution) for name, distribution in DISTRIBUTIONS.items()}
    sys.stdout.write(json.dumps({**found, "python": ".".join(map(str, sys.version_info[:3]))}))


if __name__ == "__main__":
    main()
