"""Findings: a reader's answer to a topic as a claim, with its quote as evidence."""

from hustings import Claim, Evidence

from .messages import Findings, Reading, Research, Topic
from .shelves import Shelves


def whole(research: Research) -> Topic:
    """The whole question as one topic, if no planner has divided it."""
    return Topic(name="the question", ask=research.question[:400])


def finding(topic: Topic, reading: Reading, shelves: Shelves) -> Findings:
    """A reading as testimony. It is about the topic's name, which the model cannot choose; a quote that is not in the
    library is no evidence."""
    real = shelves.holds(reading.quote, reading.source)
    quotes = (Evidence(kind="quote", says=reading.quote, source=reading.source),) if real else ()
    claim = Claim(about=topic.name, value=reading.value, confidence=reading.confidence, evidence=quotes)
    return Findings(claims=(claim,))
