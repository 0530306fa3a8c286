"""Dead code: names that vulture reports as unused, as Claims."""

import re
from pathlib import Path

from hustings import Claim, Evidence

from .messages import Findings
from .sources import read_sources
from .tools import call

LINE = re.compile(r"(?P<path>.+?):(?P<line>\d+): (?P<what>unused \w+ '(?P<name>.+)') \((?P<sure>\d+)% confidence\)")
LEAST = 60  # percent: vulture's own confidence where no rule contradicts


def unused(root: Path) -> Findings:
    """One Claim for each name: about "path:name", value "unused", with vulture's confidence."""
    sources = read_sources(root)
    if not sources.files:
        return Findings(claims=sources.claims)
    files = ["./" + path for path in sources.files]
    out = call("vulture", ["--min-confidence", str(LEAST), *files], root, ends=(0, 3))
    said = {claim.about: claim for claim in map(_claim, map(LINE.fullmatch, out.splitlines())) if claim}
    return Findings(claims=(*sources.claims, *said.values()))


def _claim(found: "re.Match[str] | None") -> Claim | None:
    if not found:
        return None
    path = Path(found["path"]).as_posix()
    return Claim(
        about=f"{path}:{found['name']}",
        value="unused",
        confidence=int(found["sure"]) / 100,
        lineage="vulture",
        because=found["what"],
        evidence=(Evidence(kind="source", says=found["what"], source=f"{path}:{found['line']}"),),
    )
