"""The understudy: replaces all models of the desk if there is no key, with simple rules on what it is given.

`python -m hustings.agents.models.fake --handler hustings.examples.research_desk.understudy:play` prints a URL. With
that as ANTHROPIC_BASE_URL, and anything as ANTHROPIC_API_KEY, the desk runs over HTTP as with real models.
"""

import re
from typing import Any

from pydantic_core import from_json

from hustings.agents.testing import Reply, answers, calls
from hustings.protocols import Data

_BLOCK = re.compile(r'<data n="\d+"[^>]*>\n(.*?)\n</data>', re.S)
_DATE = re.compile(r"\d{1,2} [A-Z]\w+ \d{4}|\b\d{4}\b")
_AMOUNT = re.compile(r"[\d,]*\d (?:metres|nautical miles|litres)")
_YEAR = re.compile(r"\b[12]\d{3}\b")


def play(body: Data) -> Reply:
    """The reply of any of the models."""
    asked: Any = body
    role = next(role for words, role in _ROLES.items() if asked["system"].startswith(words))
    said = role(asked)
    size = len(str(asked["messages"])) // 4
    return Reply(text=said.text, calls=said.calls, input=size, output=max(1, len(said.text) // 4))


def _planner(asked: Any) -> Reply:
    """Each sentence of the question is a topic, and both readers look at each."""
    (request,) = _material(asked)
    parts = re.findall(r"[^.?!]+[?.!]?", request["goal"]["question"])
    topics = [part.strip() for part in parts if part.strip()]
    steps = [
        {
            "id": f"{agent}-{_letter(n)}",
            "agent": agent,
            "skill": skill,
            "inputs": [
                _from("research", kind="goal"),
                _from("topic", kind="value", value=f'{{"name": "{_name(topic)}", "ask": "{topic}"}}'),
            ],
        }
        for n, topic in enumerate(topics)
        for agent, skill in (("reader", "read"), ("skeptic", "doubt"))
    ]
    steps += [
        {
            "id": "write",
            "agent": "writer",
            "skill": "write",
            "inputs": [_from("research", kind="goal"), _from("verdicts", kind="verdicts")],
        },
        {
            "id": "check",
            "agent": "checker",
            "skill": "check",
            "inputs": [
                _from("answer", kind="steps", steps=["write"]),
                _from("library", kind="goal", field="library"),
            ],
        },
    ]
    outcome = [_from("answer", kind="steps", steps=["write"]), _from("proof", kind="steps", steps=["check"])]
    return answers({"steps": steps, "outcome": outcome, "because": "two readers a topic, so that they can disagree"})


def _reader(asked: Any) -> Reply:
    """The first passage will do."""
    passages = _found(asked)
    (topic,) = _material(asked)
    if passages is None:
        return calls("search", {"words": {"words": topic["ask"]}})
    return _reading(topic, passages[:1], 0.8)


def _skeptic(asked: Any) -> Reply:
    """Of the relevant passages the one with the latest year."""
    passages = _found(asked)
    (topic,) = _material(asked)
    if passages is None:
        return calls("look_up", {"words": topic["ask"]})
    near = [each for each in passages if len(_wanted(topic) & _words(each["text"])) > 1] or passages
    return _reading(topic, sorted(near, key=lambda each: -_latest(each["text"]))[:1], 0.7)


def _judge(asked: Any) -> Reply:
    """The side that quotes the latest year."""
    (case,) = _material(asked)
    best = max(case["sides"], key=lambda side: max((_latest(str(each)) for each in side["evidence"]), default=0))
    return answers({"choice": best["letter"], "because": "its source is the latest one", "confidence": 0.9})


def _writer(asked: Any) -> Reply:
    """A sentence for each verdict that has a quote."""
    _, *verdicts = _material(asked)
    sentences = [
        {
            "sentence": f"{verdict['about']}: {verdict['value']}.",
            "quote": verdict["evidence"][0]["says"],
            "source": verdict["evidence"][0]["source"],
        }
        for verdict in verdicts
        if verdict["decided"] and verdict["evidence"]
    ]
    unsettled = [f"The sources disagree about {verdict['about']}." for verdict in verdicts if not verdict["decided"]]
    return answers({"sentences": sentences, "unsettled": unsettled})


_ROLES = {
    "You plan": _planner,
    "You read": _reader,
    "You check": _skeptic,
    "You are the judge": _judge,
    "You write": _writer,
}


def _material(asked: Any) -> list[Any]:
    """The data of the first turn, parsed."""
    texts = [part["text"] for part in asked["messages"][0]["content"] if part["type"] == "text"]
    return [from_json(block) for block in _BLOCK.findall("\n".join(texts))]


def _found(asked: Any) -> list[Any] | None:
    """The passages that the last tool found; None before the first call."""
    for part in asked["messages"][-1]["content"]:
        if part["type"] == "tool_result":
            text = part["content"] if isinstance(part["content"], str) else part["content"][0]["text"]
            found: list[Any] = from_json(text)["passages"]
            return found
    return None


def _reading(topic: Any, passages: list[Any], confidence: float) -> Reply:
    wanted = _wanted(topic)
    kind = _DATE if "when" in wanted else _AMOUNT
    sentences = [
        (sentence, passage["source"]) for passage in passages for sentence in re.findall(r"[^.]+\.", passage["text"])
    ]
    if not sentences:
        return answers({"value": "unknown", "quote": "", "source": "", "confidence": 0.0})
    quote, source = max(sentences, key=lambda pair: _fit(pair[0], wanted, kind))
    value = kind.search(quote)
    said = value.group() if value else " ".join(quote.split()[:6])
    return answers({"value": said, "quote": quote.strip(), "source": source, "confidence": confidence})


def _fit(sentence: str, wanted: set[str], kind: re.Pattern[str]) -> tuple[bool, int]:
    return bool(kind.search(sentence)), len(wanted & _words(sentence))


def _wanted(topic: Any) -> set[str]:
    return _words(topic["ask"])


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w{4,}", text.lower()))


def _latest(text: str) -> int:
    return max(map(int, _YEAR.findall(text)), default=0)


def _name(topic: str) -> str:
    return " ".join(re.findall(r"\w+", topic))[:60]


def _letter(number: int) -> str:
    return chr(ord("a") + number % 26)


def _from(name: str, **source: Any) -> Data:
    return {"name": name, "source": source}
