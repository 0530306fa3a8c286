"""Dependencies: what the code imports against what the repository declares, as Claims."""

import ast
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from hustings import Claim, Evidence

from .bindings import packages
from .declared import Declared, declared, normal
from .installed import brought
from .messages import Findings
from .modules import Import, Module, modules
from .severity import finding
from .sources import paths, read_sources
from .tools import ask
from .words import texts

SCRIPT = Path(__file__).with_name("installed.py")
LEFT_THE_LIBRARY = {
    "distutils",
    "imp",
    "asyncore",
    "asynchat",
    "smtpd",
    "cgi",
    "crypt",
    "telnetlib",
    "pipes",
    "nntplib",
}
LIBRARY = sys.stdlib_module_names | LEFT_THE_LIBRARY
OTHERS = {  # modules whose distributions have another name
    "yaml": "pyyaml", "PIL": "pillow", "bs4": "beautifulsoup4", "sklearn": "scikit-learn", "cv2": "opencv-python",
    "dateutil": "python-dateutil", "attr": "attrs", "serial": "pyserial", "dotenv": "python-dotenv", "jwt": "pyjwt",
    "git": "gitpython", "OpenSSL": "pyopenssl", "zmq": "pyzmq", "pkg_resources": "setuptools", "Crypto": "pycryptodome",
}  # fmt: skip


class Brought(TypedDict):
    """What a distribution has, as installed.py says it."""

    version: str
    modules: list[str]
    requires: list[str]
    plugin: bool


BROUGHT = TypeAdapter(dict[str, Brought | None])


class Needed(NamedTuple):
    """A module from elsewhere that a package cannot be imported without; where it is imported, and what leads there."""

    name: str
    where: str
    path: tuple[str, ...]


def dependency_claims(root: Path, python: str = "") -> Findings:
    """One Claim for each dependency that is declared and not used, about "dependency:NAME" with the value "unused", or
    that is needed for the import of a package and not declared: "undeclared".

    `python`: the interpreter that the repository's dependencies are installed in; without one hustings's own says what
    a distribution brings. What neither knows is not claimed. Nothing is, where nothing is declared.
    """
    sources = read_sources(root)
    wanted = declared(root)
    if not wanted:
        return Findings(claims=sources.claims)
    known = modules(sources)
    tops = {top for module in known.values() for node in module.imports for top in _tops(module, node)}
    elsewhere = tops - LIBRARY - _own(root)
    has = look(python, {each.name for each in wanted} | {normal(top) for top in elsewhere})
    claims = [*_unused(root, wanted, tops, has), *_undeclared(known, wanted, elsewhere, has)]
    return Findings(claims=(*sources.claims, *claims))


def look(python: str, names: Collection[str]) -> dict[str, Brought | None]:
    """What the distributions of these names bring; None for what is installed neither there nor here."""
    ours = BROUGHT.validate_python({name: brought(name) for name in names})
    theirs = installed(python, names) if python else {}
    return {name: theirs.get(name) or ours[name] for name in names}


def installed(python: str, names: Collection[str]) -> dict[str, Brought | None]:
    """What they bring in this interpreter."""
    return BROUGHT.validate_json(ask(python, ["-I", str(SCRIPT), *sorted(names)]))


def _tops(module: Module, node: Import) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [] if node.level else [module.origin(node).partition(".")[0]]
    return [alias.name.partition(".")[0] for alias in node.names]


def _own(root: Path) -> set[str]:
    """Every name that a file or folder of the repository could be imported by."""
    found = {part.partition(".")[0] for path in paths(root, ("",)) for part in path.relative_to(root).parts}
    return found | {normal(root.name).replace("-", "_")}


def _unused(root: Path, wanted: list[Declared], tops: set[str], has: Mapping[str, Brought | None]) -> Iterator[Claim]:
    """What no import, no setting and no other dependency asks for."""
    required = {normal(name) for each in wanted for name in (has[each.name] or {"requires": []})["requires"]}
    for each in {each.name: each for each in wanted if each.runtime}.values():
        brings = has[each.name]
        clear = brings and brings["modules"] and not brings["plugin"] and each.name not in required
        if (
            brings
            and clear
            and tops.isdisjoint(brings["modules"])
            and not _mentioned(root, each, wanted, brings["modules"])
        ):
            yield _claim_unused(root, each, brings["modules"])


def _mentioned(root: Path, each: Declared, wanted: list[Declared], brings: list[str]) -> bool:
    """True if code or settings write the name beyond its declarations, or a comment explains the declaration."""
    name, _, line = each.where.rpartition(":")
    lines = (root / name).read_bytes().decode(errors="replace").splitlines()
    word = "|".join({"[-_.]+".join(each.name.split("-")), *map(re.escape, brings)})
    written = sum(len(re.findall(rf"(?i)(?<![\w-])(?:{word})(?![\w-])", text)) for text in texts(root))
    declarations = sum(
        other.name == each.name and not other.where.partition(":")[0].endswith(".txt") for other in wanted
    )
    return "#" in lines[int(line) - 1] or written > declarations


def _claim_unused(root: Path, each: Declared, brings: list[str]) -> Claim:
    count = sum(1 for _ in paths(root))
    searched = f"no import of {', '.join(brings)} in {count} files, and no setting names it"
    return finding(
        f"dependency:{each.name}",
        "unused",
        each.where,
        f"{each.name} is declared, and nothing uses it",
        "warning",
        lineage="dependency_guard",
        confidence=0.8,
        kind="source",
        more=[Evidence(kind="search", says=searched, source=each.where)],
    )


def _undeclared(
    known: Mapping[str, Module], wanted: list[Declared], elsewhere: Collection[str], has: Mapping[str, Brought | None]
) -> Iterator[Claim]:
    names = {each.name for each in wanted}
    brought_by = {module for name in names for module in (has[name] or {"modules": []})["modules"]}
    unclear = any(has[name] is None for name in names)  # it may bring a module of any name
    said: set[str] = set()
    for need in needed(known):
        name = OTHERS.get(need.name, normal(need.name))
        own = has.get(name)
        sure = need.name in OTHERS or not unclear or bool(own and need.name in own["modules"])
        if need.name in elsewhere and need.name not in brought_by and name not in {*names, *said} and sure:
            said.add(name)
            yield _claim_undeclared(need, name, wanted, has)


def _claim_undeclared(need: Needed, name: str, wanted: list[Declared], has: Mapping[str, Brought | None]) -> Claim:
    by = [each.name for each in wanted if name in map(normal, (has[each.name] or {"requires": []})["requires"])]
    comes = f"; it comes with {by[0]}, as long as that needs it" if by else ""
    way = Evidence(kind="source", says=f"import {need.path[0]} leads here: {' -> '.join(need.path)}", source=need.where)
    return finding(
        f"dependency:{name}",
        "undeclared",
        need.where,
        f"{need.path[0]} cannot be imported without {need.name}, which nothing declares{comes}",
        "note" if by else "error",
        lineage="dependency_guard",
        confidence=0.9,
        kind="source",
        more=[way],
    )


def needed(known: Mapping[str, Module]) -> Iterator[Needed]:
    """What `import PACKAGE` imports from elsewhere, whatever the machine: statements at the top of a module, outside of
    `if`, `try` and functions."""
    front: list[tuple[str, ...]] = [(name,) for name in sorted(packages(known))]
    seen = {path[-1] for path in front}
    for path in front:
        module = known[path[-1]]
        for node in module.tree.body:
            for target in _targets(module, node) if isinstance(node, Import) else ():
                inside = [each for each in _with_parents(target) if each in known]
                fresh = [each for each in inside if each not in seen]
                seen.update(fresh)
                front += [(*path, each) for each in fresh]
                if not inside:
                    yield Needed(target.partition(".")[0], f"{module.source.path}:{node.lineno}", path)


def _targets(module: Module, node: Import) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    origin = module.origin(node)
    return [origin] if not node.level and origin else [f"{origin}.{alias.name}" for alias in node.names]


def _with_parents(name: str) -> list[str]:
    """ "a.b.c", "a.b", "a"."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(len(parts), 0, -1)]
