"""One word for one thing: the keys of every JSON that the command line prints are those of docs/json.md."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio
import pytest

from hustings.agents import DeadLetterEntry, FailedAttempt, RunReport
from hustings.agents.chaos.checker import Violation
from hustings.agents.chaos.figures import spread
from hustings.agents.chaos.history import History
from hustings.agents.cli.app import VERBS, main
from hustings.agents.history.conflicts import Case
from hustings.agents.history.model_calls import ModelCall
from hustings.agents.history.reexecute import ReExecuted
from hustings.protocols import Evidence, Message

from .test_read_verbs import Mood, Note, Said, moody, moody_at

pytestmark = pytest.mark.processes

DOCS = Path(__file__).parents[3] / "docs" / "json.md"
PRINTED = (RunReport, DeadLetterEntry, FailedAttempt, Case, ModelCall)
FREE = {  # below them stand the names of others
    "outcome", "input", "inputs", "schemas", "weights", "data", "value", "values", "proof", "request", "answer",
}  # fmt: skip
WIRE = {"plan", "tail", "export"}  # print messages of the protocol
SAME = {"restore", "move"}  # print what `backup` does
SILENT = {"demo", "up", "dev", "down", "agent", "coordinator", "isolated", "run", "chaos"}  # no JSON, or that of `show`
FORMS = {str: "text", int: "number", float: "number", bool: "true or false", list: "list", dict: "object"}
TYPES = {
    "string": "text", "integer": "number", "number": "number", "boolean": "true or false", "array": "list",
    "object": "object",
}  # fmt: skip
Found = dict[str, set[str]]
Run = Callable[..., Said]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run the command line in a folder, with the broker at an address."""
    monkeypatch.chdir(tmp_path)

    def call(*args: str, at: Path, url: str) -> Said:
        monkeypatch.setenv("HUSTINGS_HOME", str(at))
        monkeypatch.setenv("HUSTINGS_URL", url)
        with pytest.raises(SystemExit) as end:
            main(args)
        return Said(end.value.code, *capsys.readouterr())

    return call


def documented() -> dict[str, str]:
    """The keys of the table, and the form of each."""
    rows = re.findall(r"^\| `([\w.]+)` \| ([^|]+) \|", DOCS.read_text(), re.MULTILINE)
    keys = [key for key, _ in rows]
    assert len(keys) == len(set(keys)), "a key has two rows"
    return {key: form.strip() for key, form in rows}


def walk(found: Found, value: object, within: str = "") -> None:
    """Note each key of a value that was printed, with its form; below a free key the names are those of others."""
    if isinstance(value, list):
        for each in value:
            walk(found, each, within)
    elif isinstance(value, dict):
        for key, each in value.items():
            assert key != "id" or not re.fullmatch(r"[CM]-\d+|decided|partial", str(each)), "it has a word of its own"
            note(found, within, key, set() if each is None else {FORMS[type(each)]})
            if key not in FREE:
                walk(found, each, key)


def note(found: Found, within: str, key: str, forms: set[str]) -> None:
    known = documented()
    name = f"{within}.{key}" if f"{within}.{key}" in known else key
    found.setdefault(name, set()).update(forms)


def read(found: Found, message: type[Message]) -> None:
    """Note each key of a message that is printed whole, with what it contains."""
    schema = message.model_json_schema(mode="serialization", by_alias=False)
    definitions: dict[str, Any] = schema.get("$defs", {})

    def visit(part: Mapping[str, Any], within: str) -> None:
        for key, each in part.get("properties", {}).items():
            note(found, within, key, {*forms(each)})
            if key not in FREE:
                for inner in parts(each):
                    visit(inner, key)

    def parts(each: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        for choice in [each, *each.get("anyOf", ()), *each.get("oneOf", ())]:
            choice = definitions[choice["$ref"].rpartition("/")[2]] if "$ref" in choice else choice
            if "items" in choice:
                yield from parts(choice["items"])
            elif "properties" in choice:
                yield choice
            elif choice is not each and ("anyOf" in choice or "oneOf" in choice):
                yield from parts(choice)

    def forms(each: Mapping[str, Any]) -> Iterator[str]:
        if "$ref" in each:
            yield "object"
        elif "anyOf" in each or "oneOf" in each:
            for choice in [*each.get("anyOf", ()), *each.get("oneOf", ())]:
                yield from forms(choice)
        elif each.get("type", "null") != "null":
            yield TYPES[each["type"]]
        elif "const" in each or "enum" in each:
            yield "text"
        elif "type" not in each:
            yield "anything"

    visit(schema, "")


async def printed(run: Run, home: Path) -> Found:
    """The keys of all verbs, as they print them of a team at work that has a conflict and a dead letter."""
    found: Found = {}
    called: set[str] = set()
    async with moody_at(home) as url:

        async def call(*args: str) -> None:
            said = await anyio.to_thread.run_sync(lambda: run(*args, "-o", "json", at=home, url=url))
            called.add(args[0])
            if args[0] != "version":
                walk(found, json.loads(said.out))

        async with import_module("hustings.agents").connect(moody, url) as client:
            for name, text in (("decided", "so so"), ("partial", "bad")):
                await (await client.ask(Mood(note=Note(text=text)), run=name)).wait()
        letter = "partial.sour-judge"
        (home / "logs").mkdir(exist_ok=True)
        (home / "logs" / "moody.log").write_text("sour\tnot at all\n")
        for args in (
            ["runs"], ["show", "partial", "--models"], ["replay", "decided"], ["conflicts", "decided"], ["ps"],
            ["explain", "C-1", "decided"], ["agents"], ["agents", "sour"], ["dead", "ls"], ["dead", "show", letter],
            ["dead", "redrive", letter, "--force"], ["dead", "discard", "--all", "--yes"], ["cancel", "decided"],
            ["doctor"], ["version"], ["logs"], ["new", "specialist", "clerk"],
            ["backup", str(home / "kept")], ["rm", "decided", "--dry-run"],
        ):  # fmt: skip
            await call(*args)
        said = await anyio.to_thread.run_sync(lambda: run("replay", "decided", "-o", "jsonl", at=home, url=url))
        walk(found, said.rows)
    told = import_module("hustings.agents.cli.verbs.restart")
    walk(found, told.rows_of({"clerk": "restarted"}))
    chaos = import_module("hustings.agents.cli.verbs.chaos")
    walk(found, chaos.summary(1, 2.0, History(), [Violation("exactly once", "twice")]))
    walk(found, {"stalls": spread([1.0]), "evidence": [Evidence(kind="measured", says="7", data={"at": 9.0}).plain()]})
    walk(found, {"re_executed": [ReExecuted("t", "a", 1, 1, True)._asdict()]})
    assert called | {"restart", "scale"} | SAME | WIRE | SILENT == {*VERBS}, "which verb prints what?"
    return found


async def test_every_json_speaks_the_language_of_the_docs(run: Run, tmp_path: Path) -> None:
    """Each key is in docs/json.md and has one form everywhere; what is there, some verb prints."""
    found = await printed(run, tmp_path)
    for message in PRINTED:
        read(found, message)
    known = documented()
    assert {*found} - {*known} == set(), "not in docs/json.md"
    assert {*known} - {*found} == set(), "in docs/json.md, and never printed"
    wrong = {key: forms for key, forms in found.items() if forms - {known[key]} and known[key] != "anything"}
    assert wrong == {}, "not of the form in docs/json.md"
