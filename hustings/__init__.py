"""hustings: teams of specialist agents on a NATS bus. Whoever writes specialists and teams imports from here.

`hustings.protocols`, `.bus` and `.agents` have the rest: for own planners, arbiters and models, for tests, and for
tools that read the log.
"""

from importlib import import_module, metadata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hustings.agents import (
        Client,
        ModelRule,
        Option,
        Rule,
        Run,
        Specialist,
        TaskContext,
        Team,
        Untrusted,
        by_model,
        connect,
        independent,
        judged,
        majority,
        rules,
        tool,
        unopposed,
        verified,
    )
    from hustings.protocols import (
        Blob,
        Budget,
        Claim,
        Edit,
        Evidence,
        Goal,
        Message,
        NonRetryableError,
        Outcome,
        Proof,
        Proposal,
        RetryPolicy,
        RunError,
        Testimony,
        Trial,
        Verdict,
    )

    __version__: str

_AGENTS = (
    *("Specialist", "TaskContext", "Team", "ModelRule", "Untrusted", "tool", "connect", "Client", "Run"),
    *("by_model", "Option", "Rule", "unopposed", "independent", "rules", "majority", "verified", "judged"),
)

__all__ = [  # noqa: RUF022 - in the order in which one meets them
    # write a specialist
    "Specialist", "TaskContext", "Message", "Blob", "NonRetryableError", "tool", "Untrusted",
    # what a witness says
    "Testimony", "Claim", "Proposal", "Edit", "Evidence",
    # make a team of them
    "Team", "Goal", "Outcome", "Budget", "RetryPolicy", "ModelRule", "by_model",
    # settle what they disagree about
    "Verdict", "Proof", "Trial", "unopposed", "independent", "rules", "majority", "verified", "judged",
    "Option", "Rule",
    # ask it
    "connect", "Client", "Run", "RunError",
]  # fmt: skip


def __getattr__(name: str) -> object:
    """On first use: `hustings --help` lives below this package, and must not wait for NATS and pydantic."""
    if name == "__version__":
        return metadata.version("hustings")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("hustings.agents" if name in _AGENTS else "hustings.protocols"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
