"""Security: findings of bandit and ruff's port of it, as Claims under keys that both share."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hustings import Claim, Evidence

from .checkout import nearest
from .messages import Findings
from .rewriters import portions
from .settings import has_ruff_settings
from .severity import Severity, finding
from .sources import Sources, is_test, read_sources
from .tools import call

FAMILIES = {
    101: "assert", 102: "exec", 103: "file-permissions", 104: "bind-all-interfaces", 105: "hardcoded-password",
    106: "hardcoded-password", 107: "hardcoded-password", 108: "hardcoded-tmp", 110: "try-except-pass",
    112: "try-except-continue", 113: "no-timeout", 201: "flask-debug", 202: "tarfile", 301: "unpickling",
    302: "unmarshalling", 303: "weak-hash", 304: "weak-cipher", 305: "weak-cipher", 306: "mktemp", 307: "eval",
    308: "mark-safe", 310: "open-url", 311: "weak-random", 312: "telnet", 321: "ftp", 323: "unverified-tls",
    324: "weak-hash", 501: "unverified-tls", 502: "weak-tls", 506: "yaml-load", 507: "unverified-host-key",
    601: "shell", 602: "shell", 603: "subprocess", 604: "shell", 605: "shell", 606: "subprocess",
    607: "partial-path", 608: "sql-injection", 609: "wildcard", 701: "autoescape", 702: "autoescape",
}  # fmt: skip
SURE = {"HIGH": 0.9, "MEDIUM": 0.6, "LOW": 0.3}
SEVERITY: dict[str, Severity] = {"HIGH": "error", "MEDIUM": "warning"}


def bandit_findings(root: Path) -> Findings:
    """One Claim for each finding of bandit: about "path:line:family", value "insecure", with its severity as evidence.

    Asserts in tests are what tests are made of: not claimed. The repository's own settings of bandit are obeyed.
    """
    sources = read_sources(root)
    claims: list[Claim] = []
    for files in portions(list(sources.files)):
        out = call("bandit", ["--quiet", "--exit-zero", "-f", "json", *_bandit_settings(root), *files], root)
        claims += [_from_bandit(item) for item in json.loads(out)["results"]]
    return _said(sources, claims)


def ruff_security_findings(root: Path) -> Findings:
    """The same of ruff's S rules, which descend from bandit: together they are one witness. ruff gives no severity."""
    sources = read_sources(root)
    options = ["--no-cache", "--quiet", "--exit-zero", *([] if has_ruff_settings(root) else ["--isolated"])]
    out = call("ruff", ["check", "--extend-select", "S", "--output-format", "json", *options, "."], root)
    here = root.resolve()
    items = [item for item in json.loads(out) if str(item["code"]).startswith("S") and item["code"][1:].isdigit()]
    return _said(sources, [_from_ruff(item, here) for item in items])


def family(code: str) -> str:
    """The word for what a rule looks for, the same for bandit's B105 and ruff's S105."""
    number = int(code[1:])
    return FAMILIES.get(number, f"bandit-{number}")


def _said(sources: Sources, claims: list[Claim]) -> Findings:
    kept = {
        claim.about: claim
        for claim in claims
        if not (claim.about.endswith(":assert") and is_test(claim.about.partition(":")[0]))
    }
    return Findings(claims=(*sources.claims, *kept.values()))


def _bandit_settings(root: Path) -> Iterator[str]:
    if project := nearest(root, "pyproject.toml", "[tool.bandit"):
        yield from ("-c", str(project))
    if (root / ".bandit").is_file():
        yield from ("--ini", ".bandit")


def _from_bandit(item: dict[str, Any]) -> Claim:
    where = f"{Path(item['filename']).as_posix()}:{item['line_number']}"
    weakness = Evidence(kind="weakness", says=f"CWE-{item['issue_cwe']['id']}", source=where)
    sure, severity = SURE.get(item["issue_confidence"], 0.5), SEVERITY.get(item["issue_severity"], "note")
    return _claim(where, item["test_id"], item["issue_text"], sure, severity, weakness)


def _from_ruff(item: dict[str, Any], root: Path) -> Claim:
    where = f"{Path(item['filename']).relative_to(root).as_posix()}:{item['location']['row']}"
    return _claim(where, item["code"], item["message"], 0.5, "note")


def _claim(where: str, code: str, text: str, sure: float, severity: Severity, *more: Evidence) -> Claim:
    about = f"{where}:{family(code)}"
    says = f"{code} {text}"
    return finding(about, "insecure", where, says, severity, lineage="bandit", confidence=sure, more=more)
