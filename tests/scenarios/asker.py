"""Asker: a team whose chief asks the scholar, through the coordinator, and whose two parrots ask each other."""

from hustings.agents import Specialist, TaskContext, Team
from hustings.protocols import AskFailed, Goal, Message, Outcome


class Errand(Goal, contract="asker.Errand.v1"):
    words: tuple[str, ...]
    skill: str = "look"


class Word(Message, contract="asker.Word.v1"):
    word: str


class Heard(Message, contract="asker.Heard.v1"):
    words: tuple[str, ...]


class Letter(Message, contract="asker.Letter.v1"):
    """Has the fields of a Word, and is none."""

    word: str


class Told(Outcome, contract="asker.Told.v1"):
    heard: Heard


chief = Specialist("chief", "asks")
scholar = Specialist("scholar", "knows")
left = Specialist("left", "asks right")
right = Specialist("right", "asks left")


@chief.skill
async def ask_around(errand: Errand, context: TaskContext) -> Heard:
    said = []
    for word in errand.words:
        try:
            if errand.skill == "spell":
                said += [letter.word for letter in await context.ask(list[Letter], "spell", word=Word(word=word))]
            else:
                said.append((await context.ask(Word, errand.skill, word=Word(word=word))).word)
        except AskFailed as error:
            said.append(str(error))
    return Heard(words=tuple(said))


@scholar.skill
def look(word: Word) -> Word:
    return Word(word=word.word.upper())


@scholar.skill
def spell(word: Word) -> list[Letter]:
    return [Letter(word=letter) for letter in word.word]


@scholar.skill
def scrawl(word: Word) -> Letter:
    return Letter(word=word.word)


@left.skill
async def parrot_left(word: Word, context: TaskContext) -> Word:
    await context.ask(Word, "parrot_right", word=word)
    return word


@right.skill
async def parrot_right(word: Word, context: TaskContext) -> Word:
    await context.ask(Word, "parrot_left", word=word)
    return word


team = Team(
    name="asker",
    goal=Errand,
    outcome=Told,
    specialists=[chief, scholar, left, right],
    discovery_timeout=1.0,
    open=False,
)
