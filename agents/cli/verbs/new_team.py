"""The files of `hustings new team`: a package with two specialists that disagree, a rule, and tests that pass."""

from string import Template

FILES = {
    "__init__.py": '''\
"""$name: a team of two specialists that disagree. Run it with `hustings run $name:team --text "re-do it"`."""

from .team import team

__all__ = ["team"]
''',
    "messages.py": '''\
"""What the team is asked, and what it answers."""

from hustings import Goal, Outcome, Verdict


class Count(Goal):
    """How many words has this text?"""

    text: str


class Counted(Outcome):
    """What was settled, with who said what and why it stands."""

    verdicts: list[Verdict]
''',
    "spaces.py": '''\
"""Counts what stands between spaces."""

from hustings import Claim, Specialist, Testimony

from .messages import Count

spaces = Specialist("spaces", "counts what stands between spaces")


@spaces.skill
async def by_spaces(asked: Count) -> Testimony:
    """Say how many words there are between spaces."""
    return Testimony(claims=(Claim(about="words", value=len(asked.text.split())),))
''',
    "letters.py": '''\
"""Counts runs of letters, and quotes them."""

import re

from hustings import Claim, Evidence, Specialist, Testimony

from .messages import Count

letters = Specialist("letters", "counts runs of letters, and quotes them")


@letters.skill
async def by_letters(asked: Count) -> Testimony:
    """Say how many runs of letters there are, with a quote of them."""
    words = re.findall(r"[^\\W\\d_]+", asked.text)
    quote = Evidence(kind="quote", says=" | ".join(words), source="the text")
    return Testimony(claims=(Claim(about="words", value=len(words), evidence=(quote,)),))
''',
    "team.py": '''\
"""The team, and the rule that settles what its specialists disagree about."""

from hustings import Option, Team, rules, unopposed

from .letters import letters
from .messages import Count, Counted
from .spaces import spaces


def quoted(option: Option) -> float:
    """Who quotes the words goes before who only counts them."""
    return float(any(item.evidence for item in option.items))


team = Team(
    "$name",
    goal=Count,
    outcome=Counted,
    specialists=[spaces, letters],
    arbiters=[unopposed, rules(quoted)],
)
''',
    "test_team.py": '''\
"""The team on a real throw-away broker: one text that both count alike, one on which they disagree."""

import anyio
import pytest
from hustings.testing import running

from .messages import Count
from .team import team


@pytest.mark.parametrize(
    ("text", "by"), [("hear hear", ["letters", "spaces"]), ("re-do it", ["letters"])], ids=["agreed", "contested"]
)
def test_who_is_right(text: str, by: list[str]) -> None:
    async def scenario() -> None:
        async with running(team) as client:
            run = await client.ask(Count(text=text))
            (verdict,) = (await run.outcome()).verdicts
            assert sorted(item.by for item in verdict.stands) == by

    anyio.run(scenario)
''',
    "README.md": """\
# $name

Two specialists count the words of a text. Where they disagree, a rule settles it: `quoted` in [team.py](team.py).

| file | has |
|---|---|
| [messages.py](messages.py) | the goal and the outcome |
| [spaces.py](spaces.py), [letters.py](letters.py) | a specialist each, with one skill |
| [team.py](team.py) | the team and its rule |
| [test_team.py](test_team.py) | a test of the whole team, on a real broker |

From the folder above this one:

```
python -m pytest $name                        # the tests
hustings run $name:team --text "re-do it"     # one run: prints who is right, and why
hustings explain C-1                          # the conflict, with both sides
hustings dev $name:team --again               # stays up, reloads what you save, and asks again
```
""",
}


def written(name: str) -> dict[str, str]:
    """The text of each file of the package."""
    return {file: Template(text).substitute(name=name) for file, text in FILES.items()}
