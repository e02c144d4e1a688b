"""How the server does: for probes a word, for its operator the parts and the reasons.

A checkup is written out once a second, whoever asks: so load cannot make an answer dear.
"""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Final, final

import anyio

from caxton_adapters.health.checkup import Checkup, Condition, Report
from caxton_adapters.health.component import Part
from caxton_adapters.health.work import CpuShares, agents, journal
from caxton_adapters.rest.exchange import Answer, Answered, Asked, json_answer
from caxton_adapters.rest.guard import Guard
from caxton_adapters.rest.problem import retry_after
from caxton_adapters.rest.telling import agent_health, component_body
from caxton_adapters.rest.wire import Health
from caxton_adapters.runtime.runtime import Runtime

_PERIOD: Final = 1.0
_STALE: Final = 2.0
"""Seconds after which an answer is not given without another look, where nobody looks regularly."""
_BEATS: Final = 5.0
"""Seconds within which a loop that lives comes round."""
_SHARES_EVERY: Final = 5
"""Looks between which agents' shares of the processor are told."""
_RETRY: Final = (retry_after(5),)
_UNAVAILABLE: Final = 503
_VERBOSE: Final = b"verbose"


@final
class HealthChecks:
    """The resource `/health`; `watch` keeps it fresh."""

    def __init__(
        self,
        runtime: Runtime,
        guard: Guard,
        parts: Sequence[Part] = (),
        started: Callable[[], bool] = lambda: True,
    ) -> None:
        clock, supervisor = runtime.world.clock, runtime.supervisor
        own = (
            agents(supervisor.residents),
            journal(lambda: runtime.in_flight, runtime.oldest, clock),
        )
        self._runtime = runtime
        self._now = clock.monotonic
        self._guard = guard
        self._checkup = Checkup((*parts, *own), clock)
        self._started = started
        self._version = version("caxton")
        self._pid = os.getpid()
        self._since = self._now()
        self._made = -_STALE
        self._beat: float | None = None
        self._whole = self._word = self._ready = self._startup = Answer(200)
        self._body = Health("")
        self._verbose: Answer | None = None
        self._draining = False
        self.cpu_shares = CpuShares(supervisor.residents)

    async def watch(self) -> None:
        """Look at everything once a second, until cancelled."""
        looks = 0
        while True:
            self._beat = self._now()
            self.look()
            if looks % _SHARES_EVERY == 0:
                await self.cpu_shares.look()
            looks += 1
            await anyio.sleep(_PERIOD)

    def drain(self) -> None:
        """Be unready from now on."""
        self._draining = True
        self.look()

    def look(self) -> None:
        """Look at every part now, and write down what probes are told."""
        self._made = self._now()
        started = self._started()
        report = self._checkup.report(started=started, draining=self._draining)
        word = Health(report.condition.value, reasons=_names(report))
        code, headers = _head(ready=report.condition.ready)
        self._body = self._health(report)
        self._verbose = None
        self._whole = json_answer(self._body, code, headers)
        self._word = self._ready = json_answer(word, code, headers)
        starting = Health(Condition.STARTING.value)
        self._startup = _LIVE if started else json_answer(starting, *_head(ready=False))

    async def whole(self, asked: Asked, _: str) -> Answered:
        """Everything; no more than a word for those who have no token."""
        self._keep_fresh()
        if not self._guard.knows(asked.headers):
            return self._word
        return self._in_full() if _is_verbose(asked.query) else self._whole

    async def live(self, asked: Asked, _: str) -> Answered:  # noqa: ARG002 - a handler
        """The loop comes round: that is all that a liveness probe may ask."""
        late = self._beat is not None and self._now() - self._beat > _BEATS
        return _NOT_LIVE if late else _LIVE

    async def ready(self, asked: Asked, _: str) -> Answered:  # noqa: ARG002 - a handler
        """New work is taken; a provider that is down does not make the server unready."""
        self._keep_fresh()
        return self._ready

    async def startup(self, asked: Asked, _: str) -> Answered:  # noqa: ARG002 - a handler
        """Start and recovery are over; it says so for ever after."""
        self._keep_fresh()
        return self._startup

    def _keep_fresh(self) -> None:
        if self._now() - self._made > _STALE:
            self.look()

    def _health(self, report: Report) -> Health:
        residents = self._runtime.supervisor.residents()
        return Health(
            report.condition.value,
            self._version,
            self._pid,
            round(self._made - self._since, 3),
            dict(Counter(resident.record.state.value for resident in residents)),
            self._runtime.in_flight,
            tuple(f"{each.name}: {each.reason}" for each in report.unwell),
            tuple(map(component_body, report.seen)),
        )

    def _in_full(self) -> Answer:
        """With every agent: written when it is asked for, once in the life of a checkup."""
        if self._verbose is None:
            views = self._runtime.agents()
            details = tuple(agent_health(view, self.cpu_shares.of(view.id)) for view in views)
            body = self._body.with_agents(details)
            self._verbose = json_answer(body, self._whole.status, self._whole.headers)
        return self._verbose


def _names(report: Report) -> tuple[str, ...]:
    """What is not well, for those who may not know why."""
    return tuple(each.name for each in report.unwell)


def _head(*, ready: bool) -> tuple[int, tuple[tuple[bytes, bytes], ...]]:
    return (200, ()) if ready else (_UNAVAILABLE, _RETRY)


def _is_verbose(query: bytes) -> bool:
    return any(part.partition(b"=")[0] == _VERBOSE for part in query.split(b"&"))


_LIVE: Final = json_answer(Health(Condition.WELL.value))
_NOT_LIVE: Final = json_answer(
    Health(Condition.FAIL.value, reasons=("event loop",)), _UNAVAILABLE, _RETRY
)
