"""Run as a script by the interpreter of a repository: print as JSON what it has. Imports nothing of ours."""

import json
import sys
from importlib import metadata

DISTRIBUTIONS = {
    "pytest": "pytest",
    "xdist": "pytest-xdist",
    "pytest_cov": "pytest-cov",
    "pytest_randomly": "pytest-randomly",
    "pytest_benchmark": "pytest-benchmark",
}


def version(distribution: str) -> str:
    """Its version; empty if it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def main() -> None:
    """Write each version."""
    sys.stdout.write(json.dumps({name: version(each) for name, each in DISTRIBUTIONS.items()}))


if __name__ == "__main__":
    main()
