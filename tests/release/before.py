"""What is compared with the last release, and looked at before anything is built."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from .step import ROOT, Release, Wrong, git

API, MESSAGES, GOLDEN = "tests/public/api.txt", "tests/public/messages.json", "tests/golden"
Fields = Mapping[str, Mapping[str, object]]


def tree(_: Release) -> str:
    """All that is released is committed."""
    if changed := [line[3:] for line in git("status", "--porcelain").splitlines()]:
        raise Wrong("the tree is not clean", ", ".join(changed), "Commit it, or remove it.")
    return f"clean, at {git('rev-parse', '--short', 'HEAD')}"


def version(release: Release) -> str:
    """The version is new."""
    tag = f"v{release.version}"
    if tag in git("tag").split():
        raise Wrong(f"{release.version} was released", f"there is a tag {tag}", "Raise `version` in pyproject.toml.")
    return f"{release.version}, after {release.last or 'none: this is the first release'}"


def changelog(release: Release) -> str:
    """CHANGELOG.md says what is new, and when it was released."""
    return f"{len(_news(release).splitlines())} lines on {release.version}"


def section(version: str, text: str) -> str:
    """The section of a version in a changelog. Raises Wrong if there is none with a date."""
    head = rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d\n"
    found = re.search(rf"{head}(.*?)(?=^## \[|\Z)", text, re.MULTILINE | re.DOTALL)
    if not found:
        wanted = f"## [{version}] - YYYY-MM-DD"
        raise Wrong(f"CHANGELOG.md has no {version}", "there is no heading of it with a date", f"Write `{wanted}`.")
    return found[1]


def api(release: Release) -> str:
    """Whatever public name is gone or changed is named in CHANGELOG.md."""
    if not release.last:
        return "nothing to compare with"
    changed = changed_names(_at(release.last, API), (ROOT / API).read_text())
    check_named((name.split(".")[-1] for name in changed), _news(release))
    return f"{len(changed)} names gone or changed, all in CHANGELOG.md"


def changed_names(before: str, now: str) -> list[str]:
    """The public names of which a line is gone: the name itself, a member, or a signature."""
    left = _by_name(now)
    return [name for name, lines in _by_name(before).items() if set(lines) - set(left.get(name, ()))]


def _by_name(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    front, lines = "", list[str]()
    for line in text.splitlines():
        if line.startswith("# "):
            front = line.removeprefix("# ")
        elif line:
            if name := re.match(r"(?:class |async def |def )?(\w+)", line):
                lines = found.setdefault(f"{front}.{name[1]}", [])
            lines.append(line)
    return found


def messages(release: Release) -> str:
    """Within its version a message has only got fields with a default; one that is gone is named in CHANGELOG.md."""
    if not release.last:
        return "nothing to compare with"
    before, now = json.loads(_at(release.last, MESSAGES)), json.loads((ROOT / MESSAGES).read_text())
    if broken := "; ".join(broken_messages(before, now)):
        raise Wrong("a message has changed within its version", broken, "Give the new class the contract NAME.v2.")
    check_named(before.keys() - now.keys(), _news(release))
    return f"{len(now)} messages, {len(now.keys() - before.keys())} of them new"


def broken_messages(before: Mapping[str, Fields], now: Mapping[str, Fields]) -> Iterator[str]:
    """What an agent of the release before would read in another way, or not at all."""
    for contract in sorted(before.keys() & now.keys()):
        was, fields = before[contract], now[contract]
        yield from (f"{contract} has no {name}" for name in was if name not in fields)
        yield from (f"{contract}.{name} is of another type" for name in was if fields.get(name, was[name]) != was[name])
        new = fields.keys() - was.keys()
        yield from (f"{contract}.{name} is new and has no default" for name in sorted(new) if fields[name]["required"])


def golden(release: Release) -> str:
    """The golden logs of the last release are as they were; that they replay is tried with the wheel."""
    if release.last and (gone := git("diff", "--name-only", "--diff-filter=DM", release.last, "--", GOLDEN)):
        raise Wrong(
            "golden logs are gone or changed", gone, f"Take them back: `git checkout {release.last} -- {GOLDEN}`."
        )
    return f"{len(list((ROOT / GOLDEN).glob('*.jsonl')))} logs"


def _news(release: Release) -> str:
    return section(release.version, (ROOT / "CHANGELOG.md").read_text())


def _at(tag: str, path: str) -> str:
    return git("show", f"{tag}:{path}")


def check_named(names: Iterable[str], text: str) -> None:
    """Raises Wrong unless the text has each of the names."""
    if missing := [name for name in sorted(names) if not re.search(rf"\b{re.escape(name)}\b", text)]:
        raise Wrong(
            "CHANGELOG.md does not name all that is gone or changed", ", ".join(missing), "Say what to use now."
        )
