"""The code of a diff in colours: the words stay as they are, old and new lines are read apart."""

import re
from collections.abc import Sequence
from html import unescape

import pytest

from hustings.agents.views.html.highlight import LINES, coloured
from hustings.agents.views.unified_diff import Sign

from .test_html import HOSTILE

Lines = Sequence[tuple[Sign, str]]
DIFF: Lines = [
    ("@", "@@ -1,4 +1,4 @@"),
    (" ", "def f(a):  # begins"),
    ("-", "    text = '''old"),
    ("+", "    text = f'''new"),
    (" ", "    goes on'''"),
    (" ", "    return 12"),
    ("@", "@@ -9,1 +9,1 @@"),
    ("-", "class A(object):"),
    ("+", "class A:"),
]


def test_words_have_the_colour_of_their_kind_also_in_a_text_of_several_lines() -> None:
    lines = coloured("a.py", DIFF)
    assert lines[1] == ('<span class="k">def</span> <span class="f">f</span>(a):  <span class="c"># begins</span>')
    assert lines[2] == '    text = <span class="s">&#x27;&#x27;&#x27;old</span>'
    assert lines[4] == '<span class="s">    goes on&#x27;&#x27;&#x27;</span>'
    assert lines[5] == '    <span class="k">return</span> <span class="m">12</span>'
    assert lines[8] == '<span class="k">class</span> <span class="f">A</span>:'


def test_a_piece_may_begin_within_a_docstring() -> None:
    words = ["    the end of it", '    """', "import os", "def f():", "    return os"]
    lines = coloured("a.py", [(" ", said) for said in words])
    assert lines[0] == '<span class="s">    the end of it</span>'
    assert lines[2] == '<span class="k">import</span> os'
    assert coloured("a.py", [(" ", said) for said in ["def f():", '    """It does.', "    More."]])[0].startswith(
        '<span class="k">def'
    )


@pytest.mark.parametrize("path", ["a.py", "a.toml", "a.html", "Makefile", "a.unknown", "", "../../x\x00.py"])
@pytest.mark.parametrize("words", [*HOSTILE, "\r", "a\rb", "\ufeffx = 1", "\t\x0c", "", "'" * 400])
def test_whatever_the_language_and_the_words_the_text_stays(path: str, words: str) -> None:
    lines: Lines = [(sign, words) for sign in ("@", " ", "-", "-", "+", "@", "+", " ")]
    plain = coloured("a.unknown", lines)
    assert [unescape(re.sub(r"</?span[^>]*>", "", line)) for line in coloured(path, lines)] == list(
        map(unescape, plain)
    )
    assert all(set(re.findall(r"<(/?\w+)", line)) <= {"span", "/span"} for line in coloured(path, lines))


def test_a_very_long_diff_stays_plain() -> None:
    assert "span" not in coloured("a.py", [("+", "def f(): pass")] * (LINES + 1))[0]
