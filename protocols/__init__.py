"""Everything that is sent: messages, events, subjects, errors. Pure pydantic, no I/O, imports none of our packages."""

from .blobs import Blob
from .budgets import Amount, Budget, BudgetShare
from .envelope import Entry, Envelope, open_envelope
from .errors import (
    AlreadyThere,
    AskFailed,
    BadCredentials,
    BadName,
    BadSkill,
    BrokerUnavailable,
    BrokerUnfit,
    BudgetExceeded,
    BusError,
    BusFull,
    Denied,
    HustingsError,
    ModelFailure,
    NonRetryableError,
    NotFound,
    PlanError,
    PromptInjectionError,
    ReplayMismatch,
    RunCancelled,
    RunError,
    RunFailed,
    RunPartial,
    RunUndecided,
    StaleWriter,
    Unanswered,
    Unproved,
    Unreadable,
    Unsendable,
    UsageError,
)
from .events import (
    Answered,
    Asked,
    Assigned,
    AttemptAbandoned,
    Cancelled,
    Completion,
    Concluded,
    DeadLetter,
    Decision,
    Discarded,
    Event,
    Failure,
    GoalAsked,
    Opened,
    Planned,
    Result,
    RunAcquired,
    Settled,
    Spent,
)
from .goals import Goal, Outcome, Proof, Status
from .live import Heartbeat, Progress
from .message import Contract, Data, Message
from .models import (
    Called,
    Effort,
    ModelChain,
    ModelReply,
    ModelRequest,
    Opaque,
    Part,
    Piece,
    Prompt,
    Record,
    Stop,
    TextPart,
    ToolCall,
    ToolCard,
    ToolResult,
    Trouble,
    Turn,
    Usage,
)
from .plans import (
    OUTCOME,
    AgentCard,
    Directory,
    FromGoal,
    FromSteps,
    FromVerdicts,
    Plan,
    Ref,
    SkillCard,
    Step,
    Value,
)
from .retry import RetryPolicy
from .subjects import COORDINATOR, Subject, Subjects, parse
from .testimony import Claim, Edit, Evidence, Item, Proposal, Testimony
from .untrusted import Untrusted
from .verdicts import Dissent, Inquiry, Matter, Ruling, Trial, Verdict

__all__ = [  # noqa: RUF022 - in the order of docs/glossary.md
    # what everything is made of
    "Message", "Contract", "Data", "Blob", "Envelope", "Entry", "open_envelope",
    "Untrusted",
    # who speaks
    "AgentCard", "SkillCard", "Directory", "Heartbeat", "Progress",
    # what is asked and what comes out
    "Goal", "Outcome", "Proof", "Status", "Budget", "BudgetShare", "Amount", "RetryPolicy",
    # the plan
    "Plan", "Step", "Ref", "FromGoal", "FromSteps", "FromVerdicts", "Value", "OUTCOME",
    # models
    "ModelRequest", "ModelReply", "Turn", "Part", "TextPart", "ToolCall", "ToolResult", "Opaque", "ToolCard", "Usage",
    "Effort", "Stop", "Trouble", "ModelChain", "Called", "Prompt", "Piece", "Record",
    # testimony and verdicts
    "Testimony", "Item", "Claim", "Proposal", "Edit", "Evidence",
    "Matter", "Verdict", "Ruling", "Dissent", "Inquiry", "Trial",
    # the events of a run
    "Event", "Decision", "Completion", "GoalAsked", "Cancelled", "RunAcquired", "Planned", "Assigned",
    "AttemptAbandoned", "DeadLetter", "Discarded", "Opened", "Settled", "Concluded", "Result", "Failure",
    "Asked", "Answered", "Spent",
    # where it is said
    "COORDINATOR", "Subject", "Subjects", "parse",
    # errors
    "HustingsError", "UsageError", "BadName", "BadSkill", "NotFound", "PlanError", "BusError", "BrokerUnavailable",
    "BadCredentials", "BrokerUnfit", "Denied", "BusFull", "Unanswered", "StaleWriter", "AlreadyThere", "Unreadable",
    "Unsendable", "NonRetryableError", "AskFailed", "BudgetExceeded", "RunError", "RunFailed", "RunCancelled",
    "RunUndecided", "RunPartial", "Unproved", "ModelFailure", "ReplayMismatch", "PromptInjectionError",
]  # fmt: skip
