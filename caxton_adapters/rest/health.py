"""How the server does: for probes a word, for its operator some numbers."""

import os
from collections import Counter
from importlib.metadata import version
from typing import Final, final

import anyio

from caxton_adapters.rest.exchange import Answer, Answered, Asked, json_answer
from caxton_adapters.rest.guard import Guard
from caxton_adapters.rest.problem import retry_after
from caxton_adapters.rest.wire import Health
from caxton_adapters.runtime.runtime import Runtime

_WELL: Final = "pass"
_DRAINING: Final = "draining"
_FRESH: Final = 1.0
_RETRY: Final = (retry_after(5),)


@final
class HealthChecks:
    """The resource `/health`; an answer is at most a second old, so load cannot make it dear."""

    def __init__(self, runtime: Runtime, guard: Guard) -> None:
        self._runtime = runtime
        self._guard = guard
        self._version = version("caxton")
        self._pid = os.getpid()
        self._since = anyio.current_time()
        self._made = -_FRESH
        self._whole = Answer(200)
        self._word = Answer(200)
        self.draining = False

    async def whole(self, asked: Asked, _: str) -> Answered:
        """What the server runs; no more than a word for those who have no token."""
        self._refresh()
        return self._whole if self._guard.knows(asked.headers) else self._word

    async def live(self, asked: Asked, _: str) -> Answered:  # noqa: ARG002 - a handler
        """The event loop answers: that is all that a liveness probe may ask."""
        return _LIVE

    async def ready(self, asked: Asked, _: str) -> Answered:  # noqa: ARG002 - a handler
        """New work is taken; a provider that is down does not make the server unready."""
        return _NOT_READY if self.draining else _LIVE

    def _refresh(self) -> None:
        now = anyio.current_time()
        if now - self._made < _FRESH and not self.draining:
            return
        self._made = now
        status = _DRAINING if self.draining else _WELL
        residents = self._runtime.supervisor.residents()
        whole = Health(
            status,
            self._version,
            self._pid,
            round(now - self._since, 3),
            dict(Counter(resident.record.state.value for resident in residents)),
            self._runtime.in_flight,
        )
        self._whole = json_answer(whole)
        self._word = json_answer(Health(status))


_LIVE: Final = json_answer(Health(_WELL))
_NOT_READY: Final = json_answer(Health(_DRAINING), 503, _RETRY)
