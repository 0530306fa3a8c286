"""One error tree. An error says what happened and why; the class's docstring says what to try."""

import inspect

from .models import Trouble, Usage


class HustingsError(Exception):
    """Run the command again with --debug to see where it comes from."""

    exit_code = 1

    def __init__(self, what: str, why: str = "", hint: str = "") -> None:
        self.what, self.why = what, why
        self.hint = hint or " ".join((inspect.getdoc(type(self)) or "").split())
        super().__init__(f"{what}: {why}" if why else what)


# what the user gave us


class UsageError(HustingsError):
    """See the command's --help for what it takes."""

    exit_code = 2


class BadName(UsageError):
    """Choose a name made of letters, digits, '_' and '-'."""


class BadSkill(UsageError):
    """Annotate every parameter of a skill with a Message or a list of Messages, and its return value with a Message."""


class NotFound(UsageError):
    """Check the spelling; `hustings runs` lists the runs, `hustings agents` the agents."""


class PlanError(HustingsError):
    """Run `hustings plan` to see how each parameter is bound; start who is missing, or set `prefer` in the Team."""


# the bus


class BusError(HustingsError):
    """Check with `hustings doctor` whether the broker is well."""


class BrokerUnavailable(BusError):
    """Start one with `hustings up`, or give its address with --url (or HUSTINGS_URL)."""

    exit_code = 6


class BadCredentials(BrokerUnavailable):
    """Put the credentials into the URL: TOKEN@HOST:PORT or USER:PASSWORD@HOST:PORT, what is odd in them as %XX."""


class BrokerUnfit(BrokerUnavailable):
    """Use a nats-server of version 2.12 or newer with JetStream on (`nats-server -js`)."""


class Denied(BusError):
    """Ask whoever runs the broker to allow this user the subject."""


class BusFull(BusError):
    """Delete old runs, or raise the size of the log."""


class Unanswered(BusError):
    """The broker did not confirm in time. Whether it stored the message is not known: look before repeating."""


class StaleWriter(BusError):
    """Another coordinator drives this run now. Nothing to do: it goes on there."""


class AlreadyThere(BusError):
    """Choose another run id."""


class Unreadable(BusError):
    """Somebody wrote bytes that are not of this protocol; they were passed over. `hustings tail` shows them."""


# a handler's way to speak


class Unsendable(UsageError):
    """Store what is large and send the Blob; give what a reader can rebuild: finite numbers, plain data, few levels."""


class NonRetryableError(HustingsError):
    """Raised by a skill: the input is bad, so asking somebody else would not help. The task is not tried again."""


class AskFailed(HustingsError):
    """Go on without the answer, ask somebody else for something else, or let it pass: then this attempt has failed."""


class BudgetExceeded(HustingsError):
    """Ask for less, return what there is so far, or ask for the run with a larger budget."""


class Unproved(HustingsError):
    """Do not use the outcome as it is: it came without a proof that holds."""

    exit_code = 4


# models


class ModelFailure(HustingsError):
    """Try again later, or let another model serve this skill."""

    def __init__(
        self, what: str, why: str = "", hint: str = "", *, kind: Trouble | None = None, usage: Usage | None = None
    ) -> None:
        super().__init__(what, why, hint or (_CURES[kind] if kind else ""))
        self.kind: Trouble = kind or "protocol"
        self.usage = usage or Usage()  # what it cost all the same


class ReplayMismatch(HustingsError):
    """Undo the change, or run it live: the record has no such answer, and replay never calls a model."""


class PromptInjectionError(UsageError):
    """Give untrusted text to a model as `about=`; what is meant for code, take out with `.reveal()`."""


_CURES: dict[Trouble, str] = {
    "refusal": "Say in other words what is wanted, or let another model serve this skill.",
    "truncated": "Allow more tokens with `most=`, or ask for less at once.",
    "invalid": "Simplify the message that is asked for, or let a better model serve this skill.",
    "protocol": "Check the base URL: what answers there does not speak the provider's protocol.",
    "overloaded": "Try again later, or name a second model in the team's `models`.",
    "limited": "Try again later, allow fewer calls at once, or name a second model in the team's `models`.",
    "hung": "Try again later, or name a second model in the team's `models`.",
    "unreachable": "Check the network and the base URL.",
    "denied": "Set the provider's key in the environment, or name a file that has it: ANTHROPIC_API_KEY(_FILE).",
    "rejected": "Correct the request; the provider says what is wrong with it.",
}
