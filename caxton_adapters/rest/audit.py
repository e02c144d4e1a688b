"""Who changed what, from where, and what came of it: one line for each request of that kind."""

import time
from collections.abc import Mapping, Sequence
from typing import Final, Protocol, final

from attrs import field, frozen

from caxton_adapters.rest.changes import Change, Hashed
from caxton_adapters.rest.exchange import RequestContext
from caxton_adapters.rest.guard import READING
from caxton_adapters.rest.rates import Rates

_REFUSED: Final = frozenset({401, 403})
_TOO_OFTEN: Final = 429
_WORK: Final = "/message"
_LONGEST: Final = 500
_MOST: Final = 100
_REFUSALS_A_MINUTE: Final = 120


@final
@frozen
class About:
    """What a request was about where its path does not say so, and what it changed."""

    subjects: Sequence[str] = ()
    change: Change | None = None


NOTHING: Final = About()


class AuditLog(Protocol):
    """Where the lines go; `facts` are plain values."""

    def debug(self, event: str, **facts: object) -> None:
        """What is too frequent for every log."""
        ...

    def info(self, event: str, **facts: object) -> None:
        """What somebody may want to know later."""
        ...

    def warning(self, event: str, **facts: object) -> None:
        """What somebody should look at."""
        ...


class Audit(Protocol):
    """Told of every request when it is over; `status` is 0 where nobody was answered.

    `about` is what the request was about beyond its path, and what it replaced by what.
    """

    def __call__(
        self,
        method: str,
        path: str,
        peer: str,
        context: RequestContext,
        status: int,
        about: About = NOTHING,
    ) -> None:
        """Write what is to be written."""
        ...


def not_audited(*_: object, **__: object) -> None:
    """Nothing is written."""


@final
@frozen
class Audited:
    """Writes `audit.changed` for what may have changed something, `audit.refused` for the rest.

    A message to an agent is work, not a change: its line is for developers, its record is in the
    journal. So are lines of those who come too often, or they could fill the disk.
    """

    _log: AuditLog
    _refusals: Rates = field(factory=lambda: Rates(_REFUSALS_A_MINUTE, time.monotonic), init=False)

    def __call__(
        self,
        method: str,
        path: str,
        peer: str,
        context: RequestContext,
        status: int,
        about: About = NOTHING,
    ) -> None:
        """Write at most one line."""
        refused = status in _REFUSED
        if method in READING and not refused:
            return
        write = self._log.info
        if refused and not self._refusals.take(peer):
            write = self._log.warning
        elif refused or status == _TOO_OFTEN or path.endswith(_WORK):
            write = self._log.debug
        write(
            "audit.refused" if refused else "audit.changed",
            who=context.principal,
            method=method,
            path=path[:_LONGEST],
            peer=peer,
            status=status,
            request_id=context.request_id,
            **_named(about.subjects),
            **_replaced(about.change),
        )


def _named(subjects: Sequence[str]) -> dict[str, object]:
    """What the request was about, of so much as a line can hold."""
    named = [each[:_LONGEST] for each in subjects[:_MOST]]
    more = len(subjects) - len(named)
    return {"about": [*named, *([f"and {more} more"] if more else [])]} if named else {}


def _replaced(change: Change | None) -> dict[str, object]:
    """The hashes of what was there before and is there now."""
    if change is None:
        return {}
    return {"before": _bounded(change.before), "after": _bounded(change.after)}


def _bounded(hashed: Hashed) -> object:
    if not isinstance(hashed, Mapping):
        return hashed
    named = {name[:_LONGEST]: hashed[name] for name in sorted(hashed)[:_MOST]}
    more = len(hashed) - len(named)
    return {**named, "...": f"and {more} more"} if more else named
