"""Type errors: findings of mypy and of ty, as Claims under keys that both share."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hustings import Claim, Evidence

from .bindings import packages
from .checkout import fence, nearest
from .messages import Findings
from .modules import dotted, modules
from .rewriters import portions
from .settings import asks_for_types, checks_types_with_mypy, checks_types_with_ty, names_files_for_mypy
from .severity import finding
from .sources import Sources, is_test, paths, read_sources
from .tools import call

SETTINGS = ("mypy.ini", ".mypy.ini", "pyproject.toml", "setup.cfg")
CAUSES: Mapping[str, Collection[str]] = {  # what is wrong: how mypy calls it, and ty
    "attribute": {
        "attr-defined", "union-attr", "missing-attribute", "missing-union-attribute", "missing-module-member",
    },
    "name": {"name-defined", "used-before-def", "unresolved-reference"},
    "argument": {
        "arg-type", "call-arg", "call-overload", "invalid-argument-type", "missing-argument", "unknown-argument",
        "too-many-positional-arguments", "parameter-already-assigned", "no-matching-overload",
    },
    "operator": {"operator", "unsupported-operator", "not-callable"},
    "index": {"index", "not-subscriptable", "index-out-of-bounds"},
    "assignment": {
        "assignment", "method-assign", "list-item", "dict-item", "invalid-assignment", "invalid-parameter-default",
    },
    "return": {"return-value", "return", "invalid-explicit-return", "invalid-implicit-return"},
    "override": {
        "override", "mutable-override", "incompatible-method-override", "incompatible-attribute-override",
        "incompatible-mutable-override", "incompatible-property-override", "lost-keyword-for-regular-parameter",
    },
    "annotation": {"valid-type", "invalid-type-form", "invalid-syntax-in-forward-annotation"},
    "redefinition": {"no-redef", "conflicting-declarations"},
}  # fmt: skip
ABOUT_THE_MACHINE = ("import-not-found", "import-untyped", "import")  # what is installed here, not the repository
FOLLOWS = ("no-any-return", "no-any-unimported", "untyped-decorator", "unused-ignore", "redundant-cast", "misc")
SURE, UNASKED = 0.8, 0.4  # how sure a checker is that the repository runs itself, and one that it does not
MAJOR = ("major", "critical", "blocker")  # what ty calls an error, in the words of GitLab


def type_errors(root: Path, bold: bool = False, python: str = "") -> Findings:
    """One Claim of mypy for each line and cause: about "path:line:cause", value "wrong". `root` is changed.

    The files are those that its settings name, else those of the packages; what has its types in a stub is left out. So
    are tests: hardly anybody annotates them, and what strict settings say of them drowns all else. Nothing is claimed
    of a repository that does not ask for types, unless `bold`. `python`: the interpreter that has what the repository
    imports. mypy gives up on the first file that does not parse, so those are taken away before.
    """
    sources = _typed(root, bold)
    asked = bold or checks_types_with_mypy(root)
    said: list[dict[str, Any]] = []
    named = names_files_for_mypy(root)
    for files in [[]] if named else portions(_without_twins(_checked(root, sources)), size=2000):
        options = ["--output", "json", "--no-error-summary", "--cache-dir", ".mypy_cache", *_mypy_python(python)]
        out = call("mypy", [*options, *_mypy_settings(root), *files], root, ends=(0, 1))
        said += [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    missing = any(item["code"] in ABOUT_THE_MACHINE for item in said)
    errors = [item for item in said if item["severity"] == "error" and not (missing and item["code"] in FOLLOWS)]
    return _findings(sources, (_from_mypy(item, asked) for item in errors if item["code"] not in ABOUT_THE_MACHINE))


def ty_errors(root: Path, bold: bool = False, python: str = "") -> Findings:
    """The same of ty, for the causes that mypy knows too, or for all that ty says if the repository runs it."""
    sources = _typed(root, bold)
    asked = checks_types_with_ty(root)
    said: list[dict[str, Any]] = []
    for files in portions(list(_checked(root, sources)), size=2000):
        options = ["check", "--exit-zero", "--no-progress", "--output-format", "gitlab", "--project", "."]
        said += json.loads(call("ty", [*options, *(["--python", python] if python else []), *files], root))
    errors = [item for item in said if item["check_name"] not in ABOUT_THE_MACHINE]
    return _findings(sources, (_from_ty(item, asked) for item in errors if asked or _cause(item["check_name"])))


def _typed(root: Path, bold: bool) -> Sources:
    """The files to check: none where nobody asks for types. What does not parse is taken away."""
    sources = read_sources(root)
    if not (bold or asks_for_types(root)):
        return Sources({}, sources.claims)
    fence(root)
    for path in paths(root):
        if path.relative_to(root).as_posix() not in sources.files:
            path.unlink()
    return sources


def _checked(root: Path, sources: Sources) -> Iterator[str]:
    """The files of the packages, but for tests and for what has a stub."""
    tops = packages(modules(sources))
    for path in sources.files:
        if not is_test(path) and dotted(path).partition(".")[0] in tops and not (root / f"{path}i").exists():
            yield path


def _mypy_settings(root: Path) -> list[str]:
    return [] if any(nearest(root, name) for name in SETTINGS) else ["--config-file=", "--explicit-package-bases"]


def _mypy_python(python: str) -> list[str]:
    return ["--python-executable", python] if python else []


def _without_twins(files: Iterable[str]) -> list[str]:
    """Of scripts that mypy would take for one module (two setup.py, two conftest.py) the first."""
    known = set(files)
    seen: set[str] = set()
    chosen: list[str] = []
    for path in sorted(known):
        folder, _, name = path.rpartition("/")
        alone = f"{folder}/__init__.py" not in known if folder else True
        if not alone or name not in seen:
            chosen.append(path)
        if alone:
            seen.add(name)
    return chosen


def _findings(sources: Sources, claims: Iterable[Claim]) -> Findings:
    found: dict[str, Claim] = {}
    for claim in claims:
        if not is_test(claim.about.partition(":")[0]):
            found.setdefault(claim.about, claim)
    return Findings(claims=(*sources.claims, *found.values()))


def _cause(code: str) -> str:
    return next((cause for cause, codes in CAUSES.items() if code in codes), "")


def _from_mypy(item: dict[str, Any], asked: bool) -> Claim:
    where = f"{Path(item['file']).as_posix()}:{item['line']}"
    return _claim(where, item["code"], item["message"], "mypy", asked, True)


def _from_ty(item: dict[str, Any], asked: bool) -> Claim:
    place = item["location"]
    where = f"{Path(place['path']).as_posix()}:{place['positions']['begin']['line']}"
    text = item["description"].removeprefix(f"{item['check_name']}: ")
    return _claim(where, item["check_name"], text, "ty", asked, item["severity"] in MAJOR)


def _claim(where: str, code: str, text: str, tool: str, asked: bool, error: bool) -> Claim:
    why = f"the repository {'runs' if asked else 'does not run'} {tool}"
    return finding(
        f"{where}:{_cause(code) or code}",
        "wrong",
        where,
        f"{text} [{code}]",
        ("error" if error else "warning") if asked else "note",
        lineage=tool,
        confidence=SURE if asked else UNASKED,
        more=() if asked else [Evidence(kind="source", says=why, source=where)],
    )
