"""Why servers of tools do not do what they were asked, in the terms of HTTP."""

from typing import Final

from caxton_adapters.rest import problem
from caxton_adapters.rest.failures import not_stored
from caxton_adapters.rest.placed import error_items, unplaced
from caxton_adapters.rest.problem import ErrorItem, Refused
from caxton_adapters.runtime.toolbox import (
    BadLock,
    BadRegistration,
    InSettings,
    PinState,
    ServerRefusal,
    ServerTaken,
    ServerUnreachable,
    StandsIn,
    ToolView,
    UnknownServer,
    UnknownTools,
)
from caxton_core.primitives import ToolName
from caxton_core.reading import wording
from caxton_core.reading.report import Report
from caxton_core.storage import NotStored
from caxton_core.tools.tool import Blame, ToolFailed
from caxton_core.tools.visible import visible

_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_UNPROCESSABLE: Final = 422
_BAD_GATEWAY: Final = 502
_LOCK_CODES: Final = ("CX3033", "CX3034")


def of_servers(refusal: ServerRefusal) -> Refused:
    """What is answered where the servers of tools refuse."""
    match refusal:
        case UnknownServer(asked, near):
            detail = f"No server of tools is called {asked}.{_hint(near)}"
            return Refused(_NOT_FOUND, "CX4055", detail)
        case ServerTaken(name):
            detail = f"A server of tools called {name} is registered; PUT replaces it."
            return Refused(_CONFLICT, "CX3030", detail)
        case InSettings(name):
            detail = f"{name} is registered in the settings, and is changed only there."
            return Refused(_CONFLICT, "CX3031", detail)
        case StandsIn(name, others):
            detail = f"{name} is the fallback of {', '.join(others)}: change that first."
            return Refused(_CONFLICT, "CX4054", detail)
        case BadRegistration(report):
            errors = unplaced(report.errors)
            detail = f"The registration has {_counted(len(errors))}."
            return Refused(_UNPROCESSABLE, "CX3032", detail, errors)
        case ServerUnreachable(name, why):
            detail = f"There is no connection with {name}: {_plain(why)}"
            return Refused(_BAD_GATEWAY, "CX4057", detail)
        case UnknownTools(asked, near):
            detail = f"No server that was reached offers {', '.join(asked)}.{_hint(near)}"
            return Refused(_NOT_FOUND, "CX4056", detail)
        case BadLock(report):
            return _bad_lock(report)
        case NotStored(why):
            return not_stored(why)


def _bad_lock(report: Report) -> Refused:
    """The lock as a whole, or the one pin in it that was altered."""
    errors = error_items(report.errors)
    first = report.errors[0]
    code = first.problem.what.code
    where = f"{report.file}:{first.range.line}:{first.range.column}"
    detail = f"Nothing was approved: {where}: {wording.message(first.problem.what)}."
    return Refused(_CONFLICT, code if code in _LOCK_CODES else _LOCK_CODES[0], detail, errors)


def failed(name: ToolName, failure: ToolFailed) -> Refused:
    """What is answered where a tool gave no result, be it that it takes other arguments."""
    why = _plain(failure.why)
    match failure.blame:
        case Blame.TOOL:
            return Refused(_BAD_GATEWAY, "CX4058", f"{name} gave no result: {why}")
        case Blame.ARGUMENTS:
            detail = f"{name} does not take these arguments: {why}"
            item = ErrorItem(code=problem.INVALID_BODY, message=why.rstrip("."), at="arguments")
            return Refused(_UNPROCESSABLE, problem.INVALID_BODY, detail, (item,))


def withheld(view: ToolView) -> Refused | None:
    """What is answered to a call of a tool to whose definition nobody has agreed."""
    if view.pin is PinState.APPROVED:
        return None
    detail = f"The definition of {view.tool.name} is {view.pin.value} and waits for an approval."
    return Refused(_CONFLICT, "CX4059", detail)


def _hint(near: tuple[str, ...]) -> str:
    return f" Did you mean {' or '.join(near)}?" if near else ""


def _plain(why: str) -> str:
    """A sentence of somebody else's, ended as ours are."""
    return f"{visible(why.strip()).rstrip('.')}."


def _counted(errors: int) -> str:
    return "an error" if errors == 1 else f"{errors} errors"
