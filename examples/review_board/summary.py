"""Summary: a review in Markdown, fit for a comment on a pull request.

What agents and tools wrote is escaped: it makes no markup, and mentions nobody.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from hustings.agents import RunReport
from hustings.agents.cli import inert

from .findings import Finding, claimed, failed_tools
from .messages import Counts, ReviewProof
from .telling import (
    PROOF,
    about,
    contested,
    contributions,
    falling,
    one_line,
    patch_of,
    proof_of,
    proved,
    rejected,
    standing,
)

SHOWN = 8  # rows of a table before the rest is folded
FOLDED = 60  # rows in a fold; a comment on GitHub has 65,536 characters at most
WIDTH, LONG = 110, 500  # characters shown of a cell, and of a paragraph
MARKUP = re.compile(r"([\\`*_{}\[\]()|~$>])")
GRAVE = ("error", "warning", "note")
Row = Sequence[str]


def summary(report: RunReport) -> str:
    """Title, proof, what stands by member, conflicts, what fell by proof, claims by file; long lists are folded."""
    parts = [_title(report), *_proof(report), *_members(report), *_conflicts(report), *_rejected(report)]
    parts += [*_claims(report), f"<sub>{_code(report.run)} {_plain(report.status)}: {_plain(report.because)}</sub>"]
    return "\n\n".join(["<!-- hustings review -->", *parts]) + "\n"


def _title(report: RunReport) -> str:
    if not (patch := patch_of(report)):
        return f"## hustings review: {report.status}"
    what = patch.size if patch.edits else "nothing to change"
    return f"## hustings review: {what}, {'proved' if proved(report) else '**not proved**'}"


def _proof(report: RunReport) -> Iterator[str]:
    if not (proof := proof_of(report)):
        return
    yield f"{'✅ The proof holds' if proof.holds else '❌ The proof does not hold:'} {_plain(proof.because, LONG)}"
    if proof.how:
        yield f"Tests: {_plain(proof.how, LONG)}"
    yield _table(("tests", *Counts.model_fields), _counts(proof))
    if proof.new_failures:
        yield _list("New failures", [(_code(each),) for each in proof.new_failures], ("test",))


def _counts(proof: ReviewProof) -> Iterator[Row]:
    for word, counts in (("before", proof.before), ("after", proof.after)):
        yield word, *(str(number) for _, number in counts)


def _members(report: RunReport) -> Iterator[str]:
    rows = [(_plain(who), *map(str, numbers)) for who, numbers in contributions(report).items()]
    absent = [f"⚠️ {_plain(who)} did not take part" for who in report.missing]
    absent += [f"⚠️ {_plain(each)}" for each in failed_tools(report)]
    yield from absent
    if rows:
        yield _fold("What each member said", _table(("member", "proposals", "claims", "stand"), rows))


def _conflicts(report: RunReport) -> Iterator[str]:
    rows = [
        (_code(about(each)), _code(standing(each)), _code(falling(each)), _plain(each.rule))
        for each in contested(report)
        if each.rule != PROOF
    ]
    if rows:
        yield _list(f"Conflicts: {len(rows)}", rows, ("where", "stands", "falls", "settled by"))


def _rejected(report: RunReport) -> Iterator[str]:
    rows = [(_code(about(each)), _code(falling(each)), _code(one_line(each.because))) for each in rejected(report)]
    if rows:
        yield _list(f"Fell by proof: {len(rows)}", rows, ("where", "what", "because"))


def _claims(report: RunReport) -> Iterator[str]:
    """A row for each file and message, the gravest first."""
    found = sorted(claimed(report), key=_gravest)
    rows = [
        (_code(path), ", ".join(str(each.line) for each in some), GRAVE[level], _plain(rule), _plain(says))
        for (level, path, rule, says), some in groupby(found, lambda each: _gravest(each)[:4])
    ]
    if rows:
        yield _list(f"Claims: {len(found)}", rows, ("file", "lines", "level", "rule", "says"))


def _gravest(each: Finding) -> tuple[int, str, str, str, int]:
    return GRAVE.index(each.level), each.path, each.rule, each.says, each.line


def _list(title: str, rows: Sequence[Row], heads: Row) -> str:
    """A table below its title, what is beyond the first rows in a fold."""
    parts = [f"### {title}", _table(heads, rows[:SHOWN])]
    rest = rows[SHOWN : SHOWN + FOLDED]
    if rest:
        left = len(rows) - SHOWN - len(rest)
        more = f"\n\n… and {left} more" if left else ""
        parts.append(_fold(f"{len(rows) - SHOWN} more", _table(heads, rest) + more))
    return "\n\n".join(parts)


def _fold(title: str, body: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


def _table(heads: Row, rows: Iterable[Row]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [heads, ["---"] * len(heads), *rows])


def _plain(text: str, width: int = WIDTH) -> str:
    """Text without markup, links to people and to issues, and HTML."""
    said = MARKUP.sub(r"\\\1", _cut(text, width)).replace("&", "&amp;").replace("<", "&lt;")
    return said.replace("@", "@<!-- -->").replace("#", "#<!-- -->")


def _code(text: str) -> str:
    """The text as code, in which nothing is markup."""
    said = _cut(text).replace("|", "\\|").replace("`", "'")
    return f"`{said}`" if said else ""


def _cut(text: str, width: int = WIDTH) -> str:
    said = one_line(inert(text))
    return said if len(said) <= width else f"{said[: width - 1]}…"
