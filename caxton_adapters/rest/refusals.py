"""Why the runtime does not do what it was asked, in the terms of HTTP."""

from typing import Final

from caxton_adapters.rest import problem
from caxton_adapters.rest.failures import not_read, not_stored
from caxton_adapters.rest.placed import error_items
from caxton_adapters.rest.problem import Refused, retry_after
from caxton_adapters.runtime.approvals import (
    AlreadyAnswered,
    ApprovalRefusal,
    UnknownApproval,
)
from caxton_adapters.runtime.refusals import (
    ConfigRefused,
    ConversationAmbiguous,
    ConversationBusy,
    Draining,
    KeyReused,
    MailboxFull,
    NameChanged,
    NameTaken,
    NotOpenable,
    NotRunning,
    Overloaded,
    PolicyRefused,
    Refusal,
    TooManyMessages,
    TurnsInFlight,
    UnknownAgent,
    UnknownConversation,
    UnknownMessage,
    WrongState,
)
from caxton_core.storage import NotRead, NotStored
from caxton_core.tools.approval import Approved, Denied, Expired, Said

_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_UNPROCESSABLE: Final = 422
_LATER: Final = 429
_UNAVAILABLE: Final = 503


def of_runtime(refusal: Refusal) -> Refused:  # noqa: C901, PLR0912 - one case each
    """What is answered where the runtime refuses."""
    match refusal:
        case UnknownAgent(asked, near):
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            return Refused(_NOT_FOUND, "CX4001", f"No agent is called {asked}.{hint}")
        case NameTaken(name):
            detail = f"An agent called {name} exists; PUT /agents/{name} replaces it."
            return Refused(_CONFLICT, "CX4002", detail)
        case NameChanged(name, proposed):
            detail = f"The new file calls the agent {proposed}; {name} keeps its name."
            return Refused(_UNPROCESSABLE, "CX4003", detail)
        case ConfigRefused(report):
            errors = error_items(report.errors)
            detail = f"The agent file has {_counted(len(errors))}."
            return Refused(_UNPROCESSABLE, "CX4004", detail, errors)
        case PolicyRefused(name, report):
            broken = len(report.errors)
            rules = "a rule" if broken == 1 else f"{broken} rules"
            detail = f"The agent {name} breaks {rules} of the policy of this installation."
            return Refused(_FORBIDDEN, "CX4060", detail, error_items(report.errors))
        case NotRunning(name, state, reason):
            why = f": {reason}" if reason else ""
            status = _UNAVAILABLE if state == "failed" else _CONFLICT
            return Refused(status, "CX4005", f"The agent {name} is {state}{why}.")
        case WrongState(name, state, step):
            return Refused(
                _CONFLICT, "CX4006", f"The agent {name} is {state}: no {step} from there."
            )
        case TurnsInFlight(name, count):
            work = "a message" if count == 1 else f"{count} messages"
            detail = f"The agent {name} is answering {work}; ?force=true does not wait."
            return Refused(_CONFLICT, "CX4007", detail)
        case MailboxFull(name, limit, seconds):
            detail = f"The agent {name} has {limit} messages waiting, as many as it may."
            return Refused(_LATER, "CX4008", detail, headers=(retry_after(seconds),))
        case Overloaded(limit, unit, seconds):
            detail = f"The server works on messages of {limit} {unit}, as many as it may."
            if unit == "messages":
                detail = f"The server works on {limit} messages, as many as it may."
            return Refused(_LATER, "CX4014", detail, headers=(retry_after(seconds),))
        case TooManyMessages():
            return _too_many(refusal)
        case Draining(seconds):
            headers = (retry_after(seconds), (b"connection", b"close"))
            detail = "The server is stopping and takes no new work."
            return Refused(_UNAVAILABLE, "CX4010", detail, headers=headers)
        case KeyReused(key):
            detail = f"The idempotency key {key} came before with another message."
            return Refused(_UNPROCESSABLE, problem.KEY_REUSED, detail)
        case UnknownMessage(id_):
            return Refused(_NOT_FOUND, "CX4011", f"No message {id_} is known.")
        case NotStored(why):
            return not_stored(why)
        case NotRead(why):
            return not_read(why)
        case NotOpenable(id_, state, known):
            detail = f"The message {id_} is {state}: there is nothing to try again."
            if known:
                calls = ", ".join(known)
                detail = f"The message {id_} has no such calls whose outcome is unknown: {calls}."
            return Refused(_CONFLICT, "CX4033", detail)
        case UnknownConversation(id_):
            return Refused(_NOT_FOUND, "CX4034", f"No conversation {id_} is known.")
        case ConversationAmbiguous(id_, agents, shared):
            ways = [f"?agent={name}" for name in agents] + ["?shared=true"] * shared
            detail = f"There are several conversations {id_}: {' or '.join(ways)} chooses."
            return Refused(_CONFLICT, "CX4035", detail)
        case ConversationBusy(id_, count):
            work = "A message" if count == 1 else f"{count} messages"
            verb = "is" if count == 1 else "are"
            detail = f"{work} of {id_} {verb} at work; ?force=true cancels."
            return Refused(_CONFLICT, "CX4036", detail)


def _too_many(sent: TooManyMessages) -> Refused:
    messages = "one message" if sent.a_minute == 1 else f"{sent.a_minute} messages"
    bound = "" if sent.at_once == sent.a_minute else f", {sent.at_once} of them at once"
    name, seconds = retry_after(sent.retry_after)
    detail = (
        f"This token may send {messages} a minute{bound}. "
        f"This one was not accepted: try again in {seconds.decode()} s."
    )
    return Refused(_LATER, problem.TOO_MANY_MESSAGES, detail, headers=((name, seconds),))


def _counted(errors: int) -> str:
    return "an error" if errors == 1 else f"{errors} errors"


def of_approval(refusal: ApprovalRefusal) -> Refused:
    """What is answered where an approval cannot be answered."""
    match refusal:
        case UnknownApproval(id_):
            return Refused(_NOT_FOUND, "CX4047", f"No call waits for an approval {id_}.")
        case AlreadyAnswered(id_, said):
            detail = f"The approval {id_} {_answered(said)}."
            return Refused(_CONFLICT, "CX4048", detail)
        case NotStored(why):
            return not_stored(why)


def _answered(said: Said) -> str:
    match said:
        case Expired():
            return "expired: nobody answered in time"
        case Approved(by):
            return f"was approved by {by}"
        case Denied(by, ""):
            return f"was denied by {by}"
        case Denied(by, reason):
            return f"was denied by {by}: {reason.rstrip('.')}"


def no_offer(capability: str, known: tuple[str, ...]) -> Refused:
    """What is answered where no running agent offers a capability."""
    offered = f" Offered: {', '.join(known)}." if known else ""
    detail = f"No running agent offers {capability}.{offered}"
    return Refused(_NOT_FOUND, "CX4012", detail)
