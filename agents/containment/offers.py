"""Offers: which walls this machine has for commands that need not be trusted."""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

WALLS = Path(__file__).with_name("walls.py")
SIGNALS = 6  # the version of Landlock from which on it keeps signals and abstract sockets in, too


class Offers(NamedTuple):
    """`landlock`: its version, 0 without; `namespaces`: whether a command can have a network of its own."""

    landlock: int
    namespaces: bool

    @property
    def missing(self) -> list[str]:
        """What a command can do here although it should not."""
        files = "read and change files wherever this user may" if not self.landlock else ""
        signals = "signal other processes" if self.landlock < SIGNALS else ""
        network = "reach the network" if not self.namespaces else ""
        return [each for each in (files, signals, network) if each]


def offers() -> Offers:
    """What the kernel lets this user do, tried in a process of its own."""
    if sys.platform != "linux":
        return Offers(0, namespaces=False)
    asked = [sys.executable, "-I", "-S", str(WALLS)]
    said = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=10).stdout.split()
    return Offers(int(said[0]), namespaces=said[1] == "1")
