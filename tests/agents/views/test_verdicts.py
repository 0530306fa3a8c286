"""A conflict in one line."""

from collections.abc import Sequence

from hustings.agents.history.conflicts import Case, Side
from hustings.agents.views.verdicts import line
from hustings.protocols import Claim


def side(number: int, agents: Sequence[str]) -> Side:
    items = tuple(Claim(id=f"{agent}#0", by=agent, about="load", value=number) for agent in agents)
    return Side(letter="A", says=str(number), stands=False, sources=(), items=items)


def conflict(*sides: Side) -> Case:
    return Case(matter="C-1", kind="contradiction", about="load", contested=True, barrier="b", sides=sides)


def test_of_many_sides_and_agents_the_first_are_named_and_the_rest_counted() -> None:
    """300 sides are still a line that one can read. Nothing is counted where a name takes no more room."""
    crowd = [f"a{number}" for number in range(300)]
    assert line(conflict(side(0, crowd), *(side(n, ["b"]) for n in range(1, 300)))) == (
        "C-1  load: 0, say a0 and a1 and a2 and a3 and 296 more, against 1, says b, against 2, says b, "
        "against 3, says b, against 296 more [not settled yet]"
    )
    five = line(conflict(*(side(n, ["b"]) for n in range(5))))
    assert five == "C-1  load: " + ", against ".join(f"{n}, says b" for n in range(5)) + " [not settled yet]"
