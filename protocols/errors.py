"""One error tree. A class's docstring says what happened; its `try_this` says what the reader can do about it."""

from typing import ClassVar

from .models import Trouble, Usage


class HustingsError(Exception):
    """Any failure that hustings foresees: `what` happened, `why`, a `hint` on what to try, an `exit_code`."""

    try_this: ClassVar[str] = "Run the command again with --debug to see where the error comes from."
    exit_code = 1

    def __init__(self, what: str, why: str = "", hint: str = "") -> None:
        self.what, self.why = what, why
        self.hint = hint or self.try_this
        super().__init__(f"{what}: {why}" if why else what)


# the caller's mistakes


class UsageError(HustingsError):
    """The caller gave something that hustings cannot use: an option, a value, a setting, a file."""

    try_this = "Read the command's --help."
    exit_code = 2


class BadName(UsageError):
    """The name cannot be used: it does not fit into a NATS subject, or another Message has it."""

    try_this = "Choose a name made of letters, digits, '_' and '-'."


class BadSkill(UsageError):
    """The function cannot be offered as a skill: its signature does not tell which messages it takes and returns."""

    try_this = (
        "Annotate every parameter of a skill with a Message or a list of Messages, and its return value with a Message."
    )


class NotFound(UsageError):
    """There is no such run, team, agent or dead letter, or the name fits several."""

    try_this = "Check the spelling; `hustings runs` lists the runs, `hustings agents` the agents."


class PlanError(HustingsError):
    """The planner cannot make a valid plan for the goal from the skills that the agents offer."""

    try_this = "Change the planner, or what the agents' skills take and return."


# the bus


class BusError(HustingsError):
    """The broker refused or failed a request."""

    try_this = "Check the broker with `hustings doctor`."


class BrokerUnavailable(BusError):
    """No connection to the broker."""

    try_this = "Start one with `hustings up`, or give its address with --url (or HUSTINGS_URL)."
    exit_code = 6


class BadCredentials(BrokerUnavailable):
    """The broker rejected the connection: the credentials are wrong or missing."""

    try_this = (
        "Put the credentials into the URL: TOKEN@HOST:PORT or USER:PASSWORD@HOST:PORT. Percent-encode special "
        "characters (%XX)."
    )


class BrokerUnfit(BrokerUnavailable):
    """The broker is too old, has no JetStream, or its stream of that name is not a log of hustings."""

    try_this = "Use nats-server 2.12 or newer with JetStream enabled (`nats-server -js`)."


class Denied(BusError):
    """The broker does not allow this user to publish or subscribe to the subject."""

    try_this = "Ask the broker's administrator to allow this user the subject."


class BusFull(BusError):
    """The log has no room left, or the broker cannot write to its disk. The message is not stored."""

    try_this = "Remove ended runs: `hustings rm --older 30d`, or `--keep 100`; with --dry-run it says what would go."


class Unanswered(BusError):
    """The broker did not confirm in time. The message may or may not be stored."""

    try_this = "Check whether the message is stored before you send it again."


class StaleWriter(BusError):
    """This coordinator may not write to the run any more: another coordinator has acquired it."""

    try_this = "Nothing to do: the other coordinator goes on with the run."


class AlreadyThere(BusError):
    """A run with this id exists already."""

    try_this = "Choose another run id."


class Unreadable(BusError):
    """Stored bytes are not a message of this protocol, not a folder, or do not belong where they were found."""

    try_this = "It was skipped. `hustings tail` shows the messages of a run."


# skills


class Unsendable(UsageError):
    """The message cannot be sent: it is too large, nested too deep, or not readable as its own type."""

    try_this = (
        "Store large content and send the Blob. Use finite numbers, plain data and few levels, so that a reader "
        "can rebuild the message."
    )


class NonRetryableError(HustingsError):
    """A skill raises it to reject its input. The task fails at once: no other agent and no other attempt is tried."""

    try_this = "Correct the input. The task is not tried again."


class AskFailed(HustingsError):
    """Another agent's skill was asked from within a task, and no answer came."""

    try_this = "Catch it and continue without the answer, or ask for another skill. If not caught, this attempt fails."


class BudgetExceeded(HustingsError):
    """The call is not made: it would exceed what is left of the budget."""

    try_this = "Ask for less, return what there is so far, or start the run with a larger budget."


class RunError(HustingsError):
    """The run has ended without the whole outcome."""

    try_this = "Look at the details of the run: `hustings show RUN`."


class RunFailed(RunError):
    """The run has failed: the outcome cannot be filled, or a limit was reached."""

    try_this = "Look for the task or the limit that ended it, mend that, and ask again: `hustings show RUN`."


class RunCancelled(RunError):
    """The run was cancelled."""

    try_this = "Ask again if nobody meant to cancel it."


class RunUndecided(RunError):
    """The run has stopped for a person: matters are undecided, and its team does not go on without them."""

    try_this = "Decide the matters that `hustings conflicts RUN` lists, or give the team an arbiter that does."
    exit_code = 3


class RunPartial(RunError):
    """The run has ended, and agents were missing; what they would have said is not in the outcome."""

    try_this = "Accept it with `outcome(partial=True)`, or start the missing agents and ask again."
    exit_code = 7


class Unproved(HustingsError):
    """The run has an outcome, but no valid proof of it."""

    try_this = "Do not use the outcome as it is: no valid proof supports it."
    exit_code = 4


# models


class ModelFailure(HustingsError):
    """A model gave no usable answer: `kind` says in which way, `usage` what the calls cost all the same."""

    try_this = "Try again later, or let another model serve this skill."

    def __init__(
        self, what: str, why: str = "", hint: str = "", *, kind: Trouble | None = None, usage: Usage | None = None
    ) -> None:
        super().__init__(what, why, hint or (_HINTS[kind] if kind else ""))
        self.kind: Trouble = kind or "protocol"
        self.usage = usage or Usage()


class ReplayMismatch(HustingsError):
    """Replayed code made a call that the log does not have, or made it with other arguments."""

    try_this = "Undo the change to the code, or run it live: a replay never calls a model."


class PromptInjectionError(UsageError):
    """Untrusted text would have become part of a model's instructions."""

    try_this = "Give untrusted text to a model as `about=`; use `.reveal()` where code needs the text."


_HINTS: dict[Trouble, str] = {
    "refusal": "Word the request differently, or let another model serve this skill.",
    "truncated": "Allow more tokens with `max_tokens=`, or ask for less at once.",
    "invalid": "Simplify the message that is asked for, or let a better model serve this skill.",
    "protocol": "Check the base URL: the server there does not speak the provider's protocol.",
    "overloaded": "Try again later, or name a second model in the team's `models`.",
    "limited": "Try again later, allow fewer calls at once, or name a second model in the team's `models`.",
    "hung": "Try again later, or name a second model in the team's `models`.",
    "unreachable": "Check the network and the base URL.",
    "denied": "Set the provider's key in the environment, or name a file that has it: ANTHROPIC_API_KEY(_FILE).",
    "rejected": "Correct the request; the provider says what is wrong with it.",
}
