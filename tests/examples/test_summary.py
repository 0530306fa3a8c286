"""The summary of a review for a comment on a pull request."""

import re

import pytest

from hustings.examples.review_board.messages import GapKind
from hustings.examples.review_board.summary import summary
from hustings.examples.review_board.telling import tell
from hustings.protocols import Dissent

from .reports import changes, insecure, reviewed, verdict

FELL = (Dissent(item="1", by="ruff", says="F401"),)
HOSTILE = [
    "</details><script>alert(1)</script>",
    "@everyone fixes #1",
    "a|b`c`",
    "[x](http://evil) ![y](z)",
    "*b* _i_ ~~s~~",
]


def test_it_says_what_was_proved_what_stands_what_fell_and_what_is_claimed() -> None:
    text = summary(
        reviewed(
            verdict(changes(), kind="collision", rule="majority", dissent=FELL),
            verdict(rule="verified", kind="change", dissent=FELL),
            verdict(insecure("a.py", 3)),
            verdict(insecure("a.py", 9)),
        )
    )
    assert text.startswith("<!-- hustings review -->\n\n## hustings review: 2 edits in 1 file, proved\n")
    assert "✅ The proof holds for 7 tests; 3 could not run: no debug build \\(3\\)\n" in text
    assert "Tests: \\`python -m pytest\\` from tox.ini, with folder/.venv\n" in text
    assert "| before | 7 | 0 | 0 | 3 | 0 |\n" in text
    assert "| ruff | 3 | 0 | 1 |\n" in text
    assert (
        "### Conflicts: 1\n\n| where | stands | falls | settled by |\n| --- | --- | --- | --- |\n| `a.py:2` | `ruff: "
        in text
    )
    assert "| majority |\n" in text
    assert "### Fell by proof: 1\n" in text
    assert "| `it breaks test_one` |\n" in text
    assert "### Claims: 2\n" in text
    assert "| `a.py` | 3, 9 | error | bandit/B311 | weak |\n" in text


def test_what_is_not_proved_is_said_first_and_names_the_new_failures() -> None:
    text = summary(reviewed(holds=False))
    assert "2 edits in 1 file, **not proved**\n\n❌ The proof does not hold: for 7 tests" in text
    assert "### New failures\n\n| test |\n| --- |\n| `test_one` |\n" in text


@pytest.mark.parametrize("words", HOSTILE)
def test_what_tools_say_is_text(words: str) -> None:
    """It opens no tag, makes no link, and mentions nobody; nor does it break the table."""
    text = summary(reviewed(verdict(insecure("a.py", 3, says=words)), missing=(words,)))
    rest = re.sub(r"`[^`\n]*`", "", text)
    assert set(re.findall(r"</?(\w+)", rest)) <= {"details", "summary", "sub"}
    assert not re.search(r"@\w|#\d|\]\(", rest.replace("\\(", ""))
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1


def test_long_lists_are_folded_and_the_whole_fits_into_a_comment() -> None:
    claims = [verdict(insecure(f"{'long/' * 30}{n}.py", n, says="word " * 50)) for n in range(2000)]
    fights = [verdict(changes(f"{n}.py"), kind="collision", dissent=FELL * 9) for n in range(500)]
    text = summary(reviewed(*claims, *fights))
    assert len(text) < 65_536
    assert text.count("<details>") == text.count("</details>") == 3
    assert "<summary>1992 more</summary>" in text
    assert "\n\n… and 1932 more\n" in text


@pytest.mark.parametrize(
    ("gap", "first"),
    [
        ("could not run", "WHAT EACH"),
        *((gap, "PATCH") for gap in ("failed already", "passed only sometimes", "took too long")),
    ],
)
def test_tests_that_were_not_in_order_are_told_in_the_first_lines(gap: GapKind, first: str) -> None:
    """Though the proof holds for all others."""
    assert tell(reviewed(gap=gap)).startswith(first)
