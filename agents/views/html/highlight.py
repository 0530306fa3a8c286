"""Highlight: the lines of a diff with their code coloured, by Pygments."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_for_filename
from pygments.token import Comment, Keyword, Name, Number, Operator, String
from pygments.util import ClassNotFound

from ...observe.sanitize import inert
from ..unified_diff import Sign
from .tags import Html, join, tag, text

QUOTES = ('"""', "'''")  # of strings that may have several lines
LINES = 4000  # of one file; a longer diff is not coloured, because the page would open slowly
CLASSES = (
    (Comment, "c"), (String, "s"), (Number, "m"), (Keyword, "k"), (Operator.Word, "k"),
    (Name.Decorator, "f"), (Name.Function, "f"), (Name.Class, "f"),
)  # fmt: skip


def coloured(path: str, lines: Sequence[tuple[Sign, str]]) -> list[Html]:
    """The lines of a diff of this file, without their signs, as HTML. Whatever stands between two "@" lines is read as
    one piece of code, the old lines for themselves and the new ones. Code of an unknown language stays plain."""
    lexer = _lexer(path) if len(lines) <= LINES else None
    if lexer is None:
        return [text(said) for _, said in lines]
    return [line for piece in _pieces(lines) for line in _coloured(lexer, piece)]


def _lexer(path: str) -> Lexer | None:
    try:
        lexer: Lexer = get_lexer_for_filename(path, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None
    return lexer


def _pieces(lines: Sequence[tuple[Sign, str]]) -> Iterator[Sequence[tuple[Sign, str]]]:
    begin = 0
    for n, (sign, _) in enumerate(lines):
        if sign == "@":
            yield lines[begin:n]
            yield lines[n : n + 1]
            begin = n + 1
    yield lines[begin:]


def _coloured(lexer: Lexer, lines: Sequence[tuple[Sign, str]]) -> Iterator[Html]:
    old = iter(_code(lexer, [said for sign, said in lines if sign in "- "]))
    new = iter(_code(lexer, [said for sign, said in lines if sign in "+ "]))
    for sign, said in lines:
        if sign == " ":
            next(old)
        yield text(said) if sign == "@" else next(old if sign == "-" else new)


def _code(lexer: Lexer, lines: Sequence[str]) -> list[Html]:
    """The lines of one text as HTML; plain if the lexer changes the text.

    The text may begin within a string of several lines; of two ways to read it the one with less in strings is taken.
    """
    whole = inert("\n".join(lines))
    begun = ["", *(f"{quotes}\n" for quotes in QUOTES if _may_close(whole, quotes))]
    readings = [(begin, _words(lexer, begin + whole)) for begin in begun]
    begin, words = min(readings, key=lambda reading: _in_strings(reading[1]) - len(reading[0]))
    if "".join(said for _, said in words) != begin + whole:
        return [text(line) for line in lines]
    found: list[list[Html]] = [[]]
    for name, some in groupby(words, key=lambda word: word[0]):
        for n, part in enumerate("".join(said for _, said in some).split("\n")):
            if n:
                found.append([])
            found[-1].append(tag("span", part, class_=name) if name and part else text(part))
    return [join(parts) for parts in found[1 if begin else 0 :]]


def _may_close(whole: str, quotes: str) -> bool:
    """True if the first of these quotes may end a string that began before; a word behind them begins one."""
    return whole.count(quotes) % 2 == 1 and not whole.partition(quotes)[2][:1].isalnum()


def _words(lexer: Lexer, whole: str) -> list[tuple[str, str]]:
    return [(_class(kind), str(said)) for kind, said in lexer.get_tokens(whole)]


def _in_strings(words: Sequence[tuple[str, str]]) -> int:
    return sum(len(said) for name, said in words if name == "s")


def _class(kind: object) -> str:
    return next((name for kinds, name in CLASSES if kind in kinds), "")
