"""All parts looked at together: the condition of the server, and since when each part is so."""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import final

from attrs import define, field, frozen

from caxton_adapters.health.component import Component, Part, Status
from caxton_core.ports import Clock


@final
class Condition(Enum):
    """The server as a whole; it takes new work where it is well or degraded."""

    WELL = "pass"
    DEGRADED = "degraded"
    STARTING = "starting"
    DRAINING = "draining"
    FAIL = "fail"

    @property
    def ready(self) -> bool:
        """Whether new work is taken."""
        return self in (Condition.WELL, Condition.DEGRADED)


@final
@frozen
class Seen:
    """A part, and since when it has its status."""

    component: Component
    since: datetime


@final
@frozen
class Report:
    """What a checkup found."""

    condition: Condition
    seen: tuple[Seen, ...]

    @property
    def unwell(self) -> tuple[Component, ...]:
        """The parts that are not well, the worst first."""
        found = [each.component for each in self.seen if each.component.status is not Status.WELL]
        return tuple(sorted(found, key=lambda component: component.status is not Status.FAIL))


@final
@define(eq=False)
class Checkup:
    """Looks at the parts, and remembers since when each has its status."""

    _parts: Sequence[Part]
    _clock: Clock
    _last: dict[str, Seen] = field(factory=dict, init=False)

    def report(self, *, started: bool, draining: bool) -> Report:
        """How the server does now."""
        now = self._clock.now()
        seen = tuple(self._seen(part(), now) for part in self._parts)
        self._last = {each.component.name: each for each in seen}
        return Report(_condition(seen, started=started, draining=draining), seen)

    def _seen(self, component: Component, now: datetime) -> Seen:
        before = self._last.get(component.name)
        unchanged = before is not None and before.component.status is component.status
        return Seen(component, before.since if before is not None and unchanged else now)


def _condition(seen: Sequence[Seen], *, started: bool, draining: bool) -> Condition:
    statuses = {each.component.status for each in seen}
    if draining:
        return Condition.DRAINING
    if not started:
        return Condition.STARTING
    if Status.FAIL in statuses:
        return Condition.FAIL
    return Condition.DEGRADED if Status.WARN in statuses else Condition.WELL
