"""Calls: what the models of a run were asked and what they replied, folded, by task."""

from collections.abc import Sequence
from itertools import groupby

from ...history.model_calls import ModelCall
from ..model_calls import spoken, told
from ..text import some
from .tags import Html, cut, join, tag

ROWS = 1000  # calls shown
LONGEST = 20_000  # characters shown of one piece


def transcripts(calls: Sequence[ModelCall], run: str) -> Html:
    """A part that unfolds for each task, with its calls in order."""
    by_task = groupby(sorted(calls[:ROWS], key=_task), _task)
    parts = [_folded(", ".join(map(str, task)), [*group]) for task, group in by_task]
    if len(calls) > ROWS:
        parts.append(tag("p", f"… {len(calls) - ROWS:,} more calls: hustings show {run} --models"))
    return join(parts)


def _task(call: ModelCall) -> tuple[str, str]:
    return call.agent, call.task


def _folded(task: str, calls: list[ModelCall]) -> Html:
    top = tag("summary", tag("code", task, class_="place"), tag("span", some(len(calls), "call"), class_="dim"))
    return tag("details", top, tag("div", *map(_call, calls), class_="body"))


def _call(call: ModelCall) -> Html:
    pieces = [
        part
        for who, said in spoken(call)
        for part in (tag("p", tag("b", who)), tag("pre", cut(said, LONGEST), class_="plain"))
    ]
    return tag("details", tag("summary", told(call)), tag("div", *pieces, class_="body"))
