"""The smallest team: split a text into lines, let two witnesses count the words of each, and settle the differences."""

import re

from hustings import (
    Blob,
    Claim,
    Evidence,
    Goal,
    Message,
    Outcome,
    Specialist,
    TaskContext,
    Team,
    Testimony,
    Verdict,
    independent,
    majority,
    rules,
    unopposed,
)
from hustings.agents import evident


class Text(Blob): ...


class Line(Message):
    number: int
    text: str


class Count(Goal):
    text: Text


class Counted(Outcome):
    verdicts: list[Verdict]


splitter = Specialist("splitter", "splits a text into lines")
spaces = Specialist("spaces", "counts what stands between spaces")
letters = Specialist("letters", "counts runs of letters, and quotes them")


@splitter.skill
async def split(text: Text, context: TaskContext) -> list[Line]:
    lines = (await context.read(text)).decode().splitlines()
    return [Line(number=number, text=line) for number, line in enumerate(lines, 1) if line.strip()]


@spaces.skill
def count(line: Line) -> Testimony:
    return Testimony(claims=(Claim(about=f"words in line {line.number}", value=len(line.text.split())),))


def count_letters(line: Line) -> Testimony:
    words = re.findall(r"[^\W\d_]+", line.text)
    quote = Evidence(kind="quote", says=" | ".join(words), source=f"line {line.number}")
    return Testimony(claims=(Claim(about=f"words in line {line.number}", value=len(words), evidence=(quote,)),))


letters.skill(count_letters)

team = Team(
    name="hello",
    goal=Count,
    outcome=Counted,
    specialists=[splitter, spaces, letters],
    arbiters=[unopposed, independent, majority, rules(evident)],
)
