"""The pure packages are pure: they import nothing that does I/O, and deciding changes nothing."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from hustings.agents import Policy, RunState, View
from hustings.agents.decider import decision

from .. import simulation
from .test_decider import GOAL, Ask, board

PURE = ("planning", "arbitration", "decider")
LOAD = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
    importlib.import_module(module.name)
print(*sys.modules)
"""


@pytest.mark.processes
@pytest.mark.parametrize("package", PURE)
def test_a_pure_package_loads_nothing_that_does_io(package: str) -> None:
    """In a fresh interpreter all its modules load protocols, settings and the pure packages before it; nothing else."""
    name = f"hustings.agents.{package}"
    found = subprocess.run([sys.executable, "-c", LOAD, name], capture_output=True, text=True, check=True)
    loaded = found.stdout.split()
    allowed = {"protocols", "agents.settings", *(f"agents.{each}" for each in PURE[: PURE.index(package) + 1])}
    ours = {".".join(each.split(".")[1:3]) for each in loaded if each.startswith("hustings.agents.")}
    ours |= {each.split(".")[1] for each in loaded if each.startswith("hustings.") and ".agents" not in each}
    assert f"agents.{package}" in ours
    assert ours <= allowed
    assert not {each.split(".")[0] for each in loaded} & {"asyncio", "anyio", "nats", "httpx", "anthropic", "openai"}


def unchanged(real: Callable[..., Any], calls: list[RunState]) -> Callable[..., Any]:
    """The function, which must leave everything in the state as it was, derived fields and their order too."""

    def watched(state: RunState, policy: Policy, view: View) -> Any:
        before = repr(vars(state))
        given = real(state, policy, view)
        assert repr(vars(state)) == before, f"{real.__name__} changes the state"
        calls.append(state)
        return given

    return watched


def test_deciding_changes_nothing_of_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """A review board with witnesses, conflicts and proof, crashing after each decision or not."""
    calls: list[RunState] = []
    monkeypatch.setattr(simulation, "decide", unchanged(decision.decide, calls))
    monkeypatch.setattr(simulation, "wake", unchanged(decision.wake, calls))
    for seed in range(10):
        run = board(seed=seed, crash=seed % 2 == 0)
        assert run.run(GOAL, Ask.__contract__).status == "decided"
    assert len(calls) > 100
