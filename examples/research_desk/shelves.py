"""Shelves: a library in memory. Finds paragraphs that share words with a question; uses no model."""

import re
from collections import Counter
from math import log
from pathlib import Path
from typing import NamedTuple

from hustings import Untrusted

from .messages import Passage

MOST = 6  # passages of one search
_WORD = re.compile(r"[^\W_]+")


class _Paragraph(NamedTuple):
    source: str
    text: str
    words: Counter[str]


class Shelves:
    """The paragraphs of all texts in a folder."""

    def __init__(self, folder: Path) -> None:
        files = sorted(path for path in folder.rglob("*") if path.suffix in (".md", ".txt") and path.is_file())
        self._texts = {str(path.relative_to(folder)): path.read_text(errors="replace") for path in files}
        self._paragraphs = [each for name, text in self._texts.items() for each in _paragraphs(name, text)]
        self._rare = Counter(word for each in self._paragraphs for word in each.words)

    def search(self, words: str) -> tuple[Passage, ...]:
        """The paragraphs that share most with these words, rare words counting more; the best first."""
        wanted = set(_words(words))
        scored = [(self._score(each, wanted), each) for each in self._paragraphs]
        best = sorted((pair for pair in scored if pair[0] > 0), key=lambda pair: (-pair[0], pair[1].source))[:MOST]
        return tuple(Passage(source=each.source, text=Untrusted(each.text)) for _, each in best)

    def holds(self, quote: str, source: str) -> bool:
        """True if the quote is in the file that the source names, whatever its line breaks."""
        text = self._texts.get(source.rpartition(":")[0] or source, "")
        return bool(quote.strip()) and _flat(quote) in _flat(text)

    def _score(self, paragraph: _Paragraph, wanted: set[str]) -> float:
        number = len(self._paragraphs)
        return sum(log(1 + number / self._rare[word]) for word in wanted if word in paragraph.words)


def _paragraphs(name: str, text: str) -> list[_Paragraph]:
    found, start, lines = list[_Paragraph](), 1, list[str]()
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line.strip():
            start = start if lines else number
            lines.append(line)
        elif lines:
            body = "\n".join(lines)
            found.append(_Paragraph(f"{name}:{start}", body, Counter(_words(body))))
            lines = []
    return found


def _words(text: str) -> list[str]:
    return [word for word in (found.lower() for found in _WORD.findall(text)) if len(word) > 2]


def _flat(text: str) -> str:
    return " ".join(text.split())
