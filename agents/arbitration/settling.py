"""Settling: a barrier asks the arbiters of the team in their order, until each matter has its verdict. Pure."""

from collections.abc import Mapping, Sequence

from hustings.protocols import Inquiry, Matter, UsageError, Verdict

from .docket import Arbiter, Docket, LookUp
from .matters import Said
from .verdict import undecided


def settle(
    matters: tuple[Matter, ...], items: Mapping[str, Said], arbiters: Sequence[Arbiter], answer: LookUp
) -> list[Verdict] | list[Inquiry]:
    """Ask the arbiters in order. Inquiries, if one of them needs answers first; else a verdict on every matter."""
    tentative: dict[str, Verdict] = {}
    for arbiter in arbiters:
        docket = Docket(matters, items, dict(tentative), answer)
        returned = arbiter(docket)
        if not hasattr(returned, "__iter__"):
            name = getattr(arbiter, "__name__", str(arbiter))
            why = f"it returned a {type(returned).__name__}, not Verdicts and Inquiries"
            raise UsageError(f"{name} is no arbiter", why, f"A rule is given as `rules({name})`.")
        replies = list(returned)
        if inquiries := [reply for reply in replies if isinstance(reply, Inquiry)]:
            return inquiries
        for reply in replies:
            if not isinstance(reply, Verdict):
                raise TypeError(f"an arbiter gives Verdicts and Inquiries, and gave a {type(reply).__name__}")
            if made_up := [item.id for item in reply.stands if items.get(item.id) != item]:
                raise ValueError(f"in {reply.matter} an arbiter lets stand what nobody said: {', '.join(made_up)}")
            tentative[reply.matter] = reply
    docket = Docket(matters, items, tentative, answer)
    return [v if (v := tentative.get(m.id)) and v.decided else undecided(docket, m) for m in matters]
