"""What readers make of a topic: a claim, with its quote as evidence."""

from hustings import Claim, Evidence

from .messages import Findings, Reading, Research, Topic
from .shelves import Shelves


def whole(research: Research) -> Topic:
    """The question as its only topic, where no planner has divided it."""
    return Topic(name="the question", ask=research.question[:400])


def finding(topic: Topic, reading: Reading, shelves: Shelves) -> Findings:
    """A reading as testimony. What it is about is the topic's name, not the model's to choose; a quote that does not
    stand in the library is no evidence."""
    real = shelves.holds(reading.quote, reading.source)
    quotes = (Evidence(kind="quote", says=reading.quote, source=reading.source),) if real else ()
    claim = Claim(about=topic.name, value=reading.value, confidence=reading.confidence, evidence=quotes)
    return Findings(claims=(claim,))
