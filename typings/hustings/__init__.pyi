# Type checkers read hustings/ as hustings (setuptools maps it at install time).
from hustings.agents import (
    ModelRule as ModelRule,
    Specialist as Specialist,
    TaskContext as TaskContext,
    Team as Team,
    Untrusted as Untrusted,
    by_model as by_model,
    connect as connect,
    independent as independent,
    judged as judged,
    majority as majority,
    rules as rules,
    tool as tool,
    unopposed as unopposed,
    verified as verified,
)
from hustings.protocols import (
    Blob as Blob,
    Budget as Budget,
    Claim as Claim,
    Edit as Edit,
    Evidence as Evidence,
    Goal as Goal,
    Message as Message,
    NonRetryableError as NonRetryableError,
    Outcome as Outcome,
    Proof as Proof,
    Proposal as Proposal,
    Testimony as Testimony,
    Trial as Trial,
    Verdict as Verdict,
)


__version__: str
__all__: list[str]
