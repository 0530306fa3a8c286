"""One word, one meaning: names that were given up for the field's own terms do not come back as identifiers."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ["hustings", "protocols", "bus", "agents", "examples"]
RETIRED = {
    # of classes
    "Driving": "RunAcquired", "Helm": "RunManager", "Drive": "RunLoop", "Lapsed": "AttemptAbandoned",
    "Refused": "NonRetryableError", "Miss": "ReplayMismatch", "Tainted": "PromptInjectionError", "Inbox": "WorkQueue",
    "Pull": "PullConsumer", "Reader": "OrderedConsumer", "Blobs": "ObjectStore", "Sweep": "TakeoverMonitor",
    "Roster": "AgentRegistry", "Cells": "IsolatedWorkers", "Strangers": "InvalidMessages", "Purse": "BudgetAllocator",
    "Share": "BudgetShare", "Serve": "ModelRule", "Served": "ModelRouter", "Serving": "ModelChain",
    "Healthy": "ResilientModel", "Patience": "RetryPolicy", "Letter": "DeadLetterEntry", "Letters": "DeadLetters",
    "Autopsy": "DeadLetterDetail", "Sketch": "DraftPlan", "Stroke": "DraftStep", "MootError": "HustingsError",
    # of functions, parameters and fields
    "beside": "background", "reach": "failpoint", "landmarks": "lifecycle_events", "hand_back": "nak",
    "let_go": "forget", "hands": "max_concurrent_tasks", "window": "max_open_tasks", "lease": "heartbeat_timeout",
    "patience": "execution_timeout, discovery_timeout or a RetryPolicy", "worn": "recycle", "purse": "allocator",
    "roster": "registry", "sweep": "takeovers", "squatted": "preempted",
    "takes": "inputs", "gone": "process_exited", "Cell": "IsolatedWorker", "inhabit": "serve_isolated", 
    "stroke": "step",
    "rework": "re_execute", "Reworked": "ReExecuted", "Story": "Timeline", "Wishes": "RunOptions",
    "sketch": "draft", "foreign": "invalid, untrusted or other", "lapsed": "abandoned", "lapses": "abandonments",
    "POINTS": "FAILPOINTS", "moot": "hustings",
}  # fmt: skip
ELSEWHERE = {  # another meaning, in the example's own world
    "examples/review_board/baseline.py": {"patience"},
    "examples/review_board/bench.py": {"patience"},
    "examples/review_board/comparison.py": {"patience"},
    "examples/review_board/memory.py": {"patience"},
    "examples/review_board/proving.py": {"patience"},
    "agents/models/adapter.py": {"patience"},
}


def names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every identifier that is given or used: classes, functions, parameters, fields, keywords, modules."""
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, line
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                yield name, line
            case ast.ImportFrom(module=str(name)) | ast.keyword(arg=str(name)) | ast.alias(name=name):
                yield from ((part, line) for part in name.split("."))
            case _:
                pass


FILES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_retired_name_is_back(path: Path) -> None:
    """Ordinary English words stay free in prose; only what is code is looked at."""
    where = str(path.relative_to(ROOT))
    spared = ELSEWHERE.get(where, set())
    back = {
        f"{name} in line {line}: say {RETIRED[bare]}"
        for name, line in names(ast.parse(path.read_text()))
        if (bare := name.lstrip("_")) in RETIRED and bare not in spared
    }
    back |= {f"the file's own name: say {RETIRED[path.stem]}"} if path.stem in RETIRED else set()
    assert not back, where


def test_a_contract_ends_with_its_class_name() -> None:
    """Who reads a type on the wire finds the class: of `hustings.goal.asked.v1` that is GoalAsked."""
    contracts = {node.name: contract for path in FILES for node, contract in classes(ast.parse(path.read_text()))}
    other = {name: it for name, it in contracts.items() if not agrees(name, it)}
    assert len(contracts) > 50
    assert not other
    assert not agrees("DraftStep", "hustings.Stroke.v1")


def classes(tree: ast.AST) -> Iterator[tuple[ast.ClassDef, str]]:
    """The classes that name their contract, with it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for keyword in node.keywords:
                if keyword.arg == "contract" and isinstance(keyword.value, ast.Constant):
                    yield node, str(keyword.value.value)


def agrees(name: str, contract: str) -> bool:
    return contract.rpartition(".")[0].replace(".", "").lower().endswith(name.lower())


def test_the_list_can_fail() -> None:
    """It finds what it is meant to find."""
    tree = ast.parse("class Helm:\n    def go(self, patience=1): self._inbox = beside(hands=2)\nfrom x.roster import y")
    assert {name.lstrip("_") for name, _ in names(tree)} >= {"Helm", "patience", "beside", "hands", "roster"}
