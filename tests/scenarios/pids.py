"""Pids: a team that says in which process it is."""

import os

from hustings import Goal, Message, Outcome, Specialist, Team


class Where(Goal, contract="pids.Where.v1"): ...


class Here(Message, contract="pids.Here.v1"):
    pid: int


class Again(Here, contract="pids.Again.v1"): ...


class There(Outcome, contract="pids.There.v1"):
    here: Here


clerk = Specialist("clerk", "says where it is")


@clerk.skill
def where(asked: Where) -> Here:
    return Here(pid=os.getpid())


@clerk.skill
def often(asked: Where) -> list[Again]:
    return [Again(pid=os.getpid())] * 2


team = Team("pids", Where, There, [clerk])
lost = Team("lost", Where, There, [clerk])
