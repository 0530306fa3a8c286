"""The page of a run: whatever agents say is text in it, it needs no network, and many edits keep it small."""

import re
import time
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from hustings.agents.history.timeline import Bar, Mark, timeline_of
from hustings.agents.views.html.gantt import lanes
from hustings.agents.views.html.page import page
from hustings.protocols import Claim, Proposal

from ..simulation import raised
from ..stories import board, change, play, story

HOSTILE = [
    "<script>alert(1)</script>",
    "</style></title></pre></svg><script>alert(2)</script>",
    "\"><img src=x onerror=alert(3)> ' onmouseover='alert(4)",
    "--><!--<svg/onload=alert(5)>",
    "&lt;b&gt; &#60;i&#62; &amp;",
    "\x1b[31mred\x1b[0m \x1b]8;;http://evil\x07link\x1b]8;;\x07 \x1b]0;title\x07",
    "\u202egnp.exe \u2066hidden\u2069 \u200f",
    "null\x00byte \x7f \x9b31m",
    "ÅÍÎÏ˝ÓÔ  田中さん 👾 ﷽ Ṱ̺̺̕o͞ ͏",
    "javascript:alert(6) data:text/html,<b> ${7*7} {{7*7}} %(x)s {0}",
]
OURS = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "section", "footer", "nav", "div", "span", "p",
    "a", "b", "i", "h1", "h2", "h4", "dl", "dt", "dd", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "pre",
    "code", "details", "summary", "svg", "g", "rect", "line", "path", "text",
}  # fmt: skip
ATTRIBUTES = {
    "lang", "charset", "http-equiv", "content", "name", "class", "href", "id", "open", "tabindex", "role", "aria-label",
    "xmlns", "viewbox", "width", "height", "x", "y", "x1", "x2", "y1", "y2", "d", "rx",
}  # fmt: skip
INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class OrderedConsumer(HTMLParser):
    """What a browser would see: the elements, their attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()
        self.said: list[str] = []
        self.count = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count += 1
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links |= {value or "" for name, value in attrs if name in ("href", "src")}

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError("a comment")


@pytest.mark.parametrize("words", HOSTILE)
def test_what_agents_say_is_text(words: str) -> None:
    html = page(story(board(words), words))
    read = OrderedConsumer(html)
    assert read.tags <= OURS
    assert read.attributes <= ATTRIBUTES
    assert all(link.startswith("#") for link in read.links)
    assert not INVISIBLE.search(html)


def test_a_lone_surrogate_can_be_written() -> None:
    log = play(board()).log
    found = next(entry for entry in log if entry.subject.author == "ruff")
    forged = found._replace(envelope=None, why="broken \ud800 \x1b[31m<b>")
    html = page(timeline_of("board", "r1", [*log, forged]))
    assert "broken \ufffd &lt;b&gt;" in html
    assert html.encode()


def test_hostile_text_is_shown_and_not_dropped() -> None:
    said = "".join(OrderedConsumer(page(story(board(HOSTILE[0]), HOSTILE[0]))).said)
    assert f"new {HOSTILE[0]}" in said
    assert f"breaks test_it {HOSTILE[0]}" in said


def test_it_needs_no_network_and_runs_no_script() -> None:
    html = page(story())
    assert re.search(r'content="default-src &#x27;none&#x27;; style-src &#x27;sha256-[^"]+"', html)
    assert "<script" not in html
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", html)
    assert " style=" not in html


def test_the_sections_are_there_and_rejections_come_first() -> None:
    html = page(story())
    titles = re.findall(r"<h2>([^<]+)</h2>", html)
    assert titles == [
        "Outcome", "Who said what", "Who did what when", "Rejected by proof (1)", "Left open (1)",
        "Other conflicts (1)", "Uncontested", "Plan", "Patch (1 file)", "Log",
    ]  # fmt: skip
    assert "✓ holds" in html
    assert "3 could not run: it is not here" in html
    assert "<code>test_it text</code>" in html
    assert html.count("<svg") == 2
    assert "? decided in part" in html
    assert "✓ decided" not in html


def test_the_same_log_gives_the_same_page() -> None:
    log = play(board()).log
    assert page(timeline_of("board", "r1", log)) == page(timeline_of("board", "r1", log))


def test_a_run_without_a_plan_has_a_page() -> None:
    assert "running" in page(timeline_of("board", "r1", play(board()).log[:1]))
    assert page(timeline_of("board", "r1", []))


def many(edits: int) -> dict[str, list[Claim | Proposal]]:
    """As many edits, a fifth of them in conflict."""
    return {
        "ruff": [change(n * 3, f"text {n} " * 4, resource=f"m{n % 40}.py", because="UP032") for n in range(edits // 2)],
        "flake": [
            change(n * 3, f"text {n} " * (3 if n % 5 == 0 else 4), resource=f"m{n % 40}.py", because="E1")
            for n in range(edits // 2)
        ],
        "guard": [],
    }


@pytest.mark.timing
def test_five_thousand_edits_are_built_soon_and_stay_small(unit: Callable[[], float]) -> None:
    log = play(many(5000)).log
    started = time.process_time()
    told = timeline_of("board", "r1", log)
    folded = time.process_time()
    html = page(told)
    built = time.process_time()
    assert max(built - folded, folded - started) < 150 * unit()
    assert len(told.conflicts) == 500
    assert len(html.encode()) < 5_000_000
    assert OrderedConsumer(html).count < 40_000


def test_dead_letters_are_counted_and_named() -> None:
    """Of a run that gave tasks up, with the command that shows more; of another run there is no word of it."""
    run = play(board())
    run.skills["ruff.check"] = lambda _: raised("boom")
    run.log.clear()
    run.__post_init__()
    run.run({"text": {"words": "text"}}, "Ask.v1")
    told = timeline_of("board", "r1", run.log)
    assert told.report.dead == ("r1.ruff-check",)
    written = page(told)
    assert "hustings dead show r1.ruff-check" in written
    assert "ruff-check is dead after" in written
    assert "dead letters" not in page(story())


def test_a_skill_that_an_arbiter_asks_is_not_called_skipped() -> None:
    """The plan on the log tells it from one that nothing takes."""
    timeline = story()
    assert timeline.state.plan
    told = {"skipped": {"idle.doze": "nothing in the plan takes Nap.v1"}, "asked": {"prover.trial": "verified"}}
    timeline.state.plan = timeline.state.plan.model_copy(update=told)
    said = OrderedConsumer(page(timeline)).said
    assert " asked by the arbiter verified" in said
    assert [words for words in said if words.startswith(" skipped")] == [" skipped: nothing in the plan takes Nap.v1"]


def test_one_is_not_plural() -> None:
    marks = [Mark(0.5, "opened", "", "scribe.verdicts", matters=1, conflicts=1)]
    bars = [Bar("ann", f"ann-work-{n}", "work", n / 99, n / 99, n / 99, "failed" if n else "done") for n in range(2)]
    drawn = str(lanes(["ann"], bars, marks, 60.0))
    for words in ("1 conflict in 1 matter", "1 matter, 1 of them a conflict", "1 attempt failed", "of 1 agent over"):
        assert words in drawn
