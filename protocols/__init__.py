"""Everything that is sent: messages, events, subjects, errors. Pure pydantic, no I/O, imports none of our packages."""

from . import timing
from .blobs import Blob
from .budgets import Amount, Budget, BudgetShare
from .envelope import Entry, Envelope, open_envelope, seal, traceparent, uuid7
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
    FailureKind,
    GoalAsked,
    Opened,
    Planned,
    Result,
    RunAcquired,
    Settled,
    Spent,
    Stored,
)
from .goals import Goal, Outcome, Proof, Status
from .live import Heartbeat, Progress
from .message import Contract, Count, Data, Message, later, shape
from .models import (
    Called,
    Effort,
    ModelChain,
    ModelReply,
    ModelRequest,
    Opaque,
    Part,
    Stop,
    TextPart,
    ToolCall,
    ToolCard,
    ToolResult,
    Trouble,
    Turn,
    Usage,
    sealed,
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
    steps_of,
)
from .subjects import COORDINATOR, Subject, Subjects, is_token, parse, token
from .testimony import Claim, Edit, Evidence, Item, Proposal, Testimony
from .untrusted import Untrusted
from .validation import error_in_words, errors_in_words, first_error
from .verdicts import Dissent, Inquiry, Matter, MatterKind, Ruling, Trial, Verdict, own_evidence
from .wire import DEEPEST, LARGEST, check_legible, plain, sent

__all__ = [  # noqa: RUF022 - in the order of docs/glossary.md
    # what everything is made of
    "Message", "later", "Contract", "Data", "Count", "shape", "Blob", "Envelope", "Entry", "seal", "open_envelope",
    "uuid7", "traceparent", "sent", "plain", "check_legible", "first_error", "errors_in_words", "error_in_words",
    "Untrusted", "DEEPEST", "LARGEST",
    "timing",
    # who speaks
    "AgentCard", "SkillCard", "Directory", "Heartbeat", "Progress",
    # what is asked and what comes out
    "Goal", "Outcome", "Proof", "Status", "Budget", "BudgetShare", "Amount",
    # the plan
    "Plan", "Step", "Ref", "FromGoal", "FromSteps", "FromVerdicts", "Value", "OUTCOME", "steps_of",
    # models
    "ModelRequest", "ModelReply", "Turn", "Part", "TextPart", "ToolCall", "ToolResult", "Opaque", "ToolCard", "Usage",
    "Effort", "Stop", "Trouble", "ModelChain", "Called", "sealed",
    # testimony and verdicts
    "Testimony", "Item", "Claim", "Proposal", "Edit", "Evidence",
    "Matter", "MatterKind", "Verdict", "Ruling", "own_evidence", "Dissent", "Inquiry", "Trial",
    # the events of a run
    "Event", "Decision", "Completion", "GoalAsked", "Cancelled", "RunAcquired", "Planned", "Assigned",
    "AttemptAbandoned", "DeadLetter", "Discarded", "Opened", "Settled", "Concluded", "Result", "Failure", "FailureKind",
    "Asked", "Answered", "Spent", "Stored",
    # where it is said
    "COORDINATOR", "Subject", "Subjects", "is_token", "parse", "token",
    # errors
    "HustingsError", "UsageError", "BadName", "BadSkill", "NotFound", "PlanError", "BusError", "BrokerUnavailable",
    "BadCredentials", "BrokerUnfit", "Denied", "BusFull", "Unanswered", "StaleWriter", "AlreadyThere", "Unreadable",
    "Unsendable", "NonRetryableError", "AskFailed", "BudgetExceeded", "RunError", "RunFailed", "RunCancelled",
    "RunUndecided", "RunPartial", "Unproved", "ModelFailure", "ReplayMismatch", "PromptInjectionError",
]  # fmt: skip
