"""One supervised conversation with one server: opened at the first use, and again when it ends.

The task of `run` owns the library's client and nobody else touches it: the library cancels the task
that holds a client whose server vanishes. Callers hand over a request and wait for its outcome.
"""

import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from importlib import import_module
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, final

import anyio
from anyio import to_thread
from anyio.abc import TaskGroup
from attrs import define, field, frozen

from caxton_adapters.mcp.ending import Ending
from caxton_adapters.mcp.homes import Home, begins_in
from caxton_adapters.mcp.listed import (
    CallOutcome,
    Declined,
    EveryOutcome,
    Greeting,
    Late,
    ListedTool,
    Lost,
    Unreachable,
)
from caxton_adapters.mcp.masking import Masking
from caxton_adapters.mcp.oauth.authenticating import Authenticate, unauthenticated
from caxton_adapters.mcp.registration import Registration
from caxton_adapters.mcp.said import LOG, Said
from caxton_adapters.mcp.visible import one_line
from caxton_adapters.mcp.warden import Warden
from caxton_adapters.mcp.watcher import Watcher
from caxton_adapters.runtime.toolbox import ServerState
from caxton_adapters.secrets import Secret
from caxton_core.ports import Clock

if TYPE_CHECKING:
    from caxton_adapters.mcp.session import Session

SHORTEST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 30.0
WORTH_WAITING: Final = 1.0
"""A call waits so long for the next try to connect."""
KEPT_UP: Final = 300.0
"""A connection that nobody asked for in so many seconds is not opened again by itself."""
BETWEEN_LISTS: Final = 1.0

_LONGEST_WHY: Final = 1000
_LIBRARY: Final = "caxton_adapters.mcp.opening"
OnTools: TypeAlias = Callable[[tuple[ListedTool, ...]], Awaitable[None]]


@final
@frozen
class Means:
    """What every connection of a process shares."""

    clock: Clock
    homes: Path
    """Below it each program has a directory, which is named like its server."""
    warden: Warden = field(factory=Warden)
    jitter: Callable[[], float] = random.random
    authenticate: Authenticate = unauthenticated
    hide: Callable[[Iterable[Secret]], None] = lambda _: None
    """Hears of every secret that the log must not show."""


@final
@define(eq=False)
class _Request:
    """A call that is handed over; the outcome stands when `done` is set."""

    tool: str
    arguments: Mapping[str, object]
    key: str
    outcome: CallOutcome = field(default=Lost("the connection ended"), init=False)
    done: anyio.Event = field(factory=anyio.Event, init=False)
    scope: anyio.CancelScope = field(factory=anyio.CancelScope, init=False)


@final
@frozen
class _Live:
    """An open conversation, and the tasks that work in it."""

    session: "Session"
    tasks: TaskGroup
    ending: Ending


@final
@define(eq=False)
class Connection:
    """The connection with one server, as its callers see it."""

    server: str
    written: Registration
    _means: Means
    _on_tools: OnTools
    state: ServerState = field(default=ServerState.IDLE, init=False)
    since: datetime = field(init=False)
    reason: str = field(default="", init=False)
    greeting: Greeting = field(default=Greeting("", "", ""), init=False)
    connects: int = field(default=0, init=False)
    said: Said = field(init=False)
    _live: _Live | None = field(default=None, init=False)
    _trying: bool = field(default=False, init=False)
    _failures: int = field(default=0, init=False)
    _legacy: bool = field(default=False, init=False)
    _wanted_at: float = field(default=0.0, init=False)
    _next_try: float = field(default=0.0, init=False)
    _demand: anyio.Event = field(factory=anyio.Event, init=False)
    _settled: anyio.Event = field(factory=anyio.Event, init=False)
    _changed: anyio.Event = field(factory=anyio.Event, init=False)
    _slots: anyio.Semaphore = field(init=False)
    _masking: Masking = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.since = self._means.clock.now()
        self._masking = Masking(self.written.secrets())
        self.said = self._silent()
        self._slots = anyio.Semaphore(self.written.max_concurrent.value)
        if not self.written.enabled:
            self._enter(ServerState.DISABLED, "it is disabled in its registration")

    @property
    def home(self) -> Home:
        """The directory of its program."""
        return Home(self._means.homes / self.server)

    @property
    def directory(self) -> str | None:
        """Where its program begins; None for a server at an address."""
        is_program = self.written.command is not None
        return str(begins_in(self.written, self.home)) if is_program else None

    async def call(
        self,
        tool: str,
        arguments: Mapping[str, object],
        key: str,
        withheld: Callable[[], str | None] = lambda: None,
    ) -> EveryOutcome:
        """What came of the call within its time; to cancel this tells the server.

        `withheld` says why it is not made, once it is known what the server offers now.
        """
        return self._masking.outcome(await self._outcome(tool, arguments, key, withheld))

    async def _outcome(
        self,
        tool: str,
        arguments: Mapping[str, object],
        key: str,
        withheld: Callable[[], str | None],
    ) -> EveryOutcome:
        if self._live is None:
            unreachable = await self.connected()
            if unreachable is not None:
                return unreachable
        self._wanted_at = self._means.clock.monotonic()
        seconds = self.written.timeout_of(tool)
        request = _Request(tool, arguments, key)
        made = False
        with anyio.move_on_after(seconds):
            async with self._slots:
                made = True
                return await self._handed_over(request, withheld)
        self._on_changed()  # a server that lives lists its tools, however slow one of them is
        return Late(seconds, made)

    async def _handed_over(
        self, request: _Request, withheld: Callable[[], str | None]
    ) -> EveryOutcome:
        live = self._live
        if live is None:
            return Unreachable(self.reason)
        if (why := withheld()) is not None:
            return Declined(why)
        live.tasks.start_soon(self._perform, live, request)
        try:
            await request.done.wait()
        finally:
            if not request.done.is_set():
                request.scope.cancel()
        return request.outcome

    async def _perform(self, live: _Live, request: _Request) -> None:
        request.outcome = Lost(live.ending.why or "the connection ended")
        try:
            with request.scope:
                outcome = await live.session.call(request.tool, request.arguments, request.key)
                self._learn(live, outcome)
                request.outcome = outcome
        finally:
            request.done.set()

    def _learn(self, live: _Live, outcome: CallOutcome) -> None:
        if isinstance(outcome, Lost):
            live.ending.tell(outcome.why)
        else:
            self._failures = 0

    async def connected(self, *, at_once: bool = False) -> Unreachable | None:
        """Have a connection, or know why there is none; `at_once` does not wait for its turn."""
        if self.state is ServerState.DISABLED:
            return Unreachable(self.reason)
        now = self._means.clock.monotonic()
        self._wanted_at = now
        waiting = self.state is ServerState.WAITING and not at_once
        if waiting and self._next_try - now > WORTH_WAITING:
            return Unreachable(self.reason)
        if self.state is ServerState.IDLE or at_once:
            self._demand.set()
        if self._live is None:
            with anyio.move_on_after(WORTH_WAITING if waiting else inf):
                await self._settled.wait()
        if self._live is None and self.state is ServerState.CONNECTING:
            await self._settled.wait()
        return Unreachable(self.reason) if self._live is None else None

    async def listed_anew(self) -> Unreachable | None:
        """Connect now if there is no connection, and list the tools if there is one."""
        live = self._live
        if live is None:
            return await self.connected(at_once=True)
        done = anyio.Event()
        live.tasks.start_soon(self._list, live, done)
        await done.wait()
        return Unreachable(self.reason) if self._live is None else None

    async def run(self) -> None:
        """Own the connection until cancelled."""
        if self.state is ServerState.DISABLED:
            return
        try:
            while True:
                await self._try()
        finally:
            self._trying = True
            self._enter(ServerState.DISABLED, "it is not in use any more")
            self._settle()

    async def _try(self) -> None:
        """Connect when that is wanted, until the connection ends and a pause is over."""
        await self._demand.wait()
        self._demand = anyio.Event()
        self._enter(ServerState.CONNECTING)
        self._trying = True
        why = await self._hold()
        self._failures += 1
        await self._pause(why)

    async def _pause(self, why: str) -> None:
        """Wait for the next try: a random time that grows, or until somebody wants it now."""
        most = min(LONGEST_PAUSE, SHORTEST_PAUSE * 2.0 ** min(self._failures, 16))
        pause = most * self._means.jitter()
        now = self._means.clock.monotonic()
        self._next_try = now + pause
        self._fail(why)
        LOG.info("%s: no connection: %s; next try in %.1f s", self.server, why, pause)
        with anyio.move_on_after(pause):
            await self._demand.wait()
        if self._means.clock.monotonic() - self._wanted_at < KEPT_UP:
            self._demand.set()
        else:
            self._enter(ServerState.IDLE, why)

    async def _hold(self) -> str:
        """Open a conversation and keep it until it ends; why it ended."""
        await to_thread.run_sync(import_module, _LIBRARY)
        ending, failed = Ending(), ""
        self.said = self._silent()
        try:
            async with anyio.create_task_group() as beside:
                patience = anyio.CancelScope()
                beside.start_soon(self._lose_patience, patience, ending)
                with patience:
                    await self._converse(ending)
                beside.cancel_scope.cancel()
        except ExceptionGroup as group:
            failed = _in_words(group)
        finally:
            self._live = None
        return self.said.ended(ending.why or failed or "the connection ended")

    async def _lose_patience(self, patience: anyio.CancelScope, ending: Ending) -> None:
        seconds = self.written.connect_timeout.value
        await anyio.sleep(seconds)
        if self._live is None and not ending.is_told:
            self._legacy = not self._legacy
            ending.tell(f"it did not answer within {seconds:g} s")
            self._next_try = self._means.clock.monotonic() + LONGEST_PAUSE
            self._fail(self.said.ended(ending.why))
            patience.cancel()

    async def _converse(self, ending: Ending) -> None:
        from caxton_adapters.mcp.opening import open_session  # noqa: PLC0415 - loaded in a thread

        watcher = Watcher(self.said, ending, self._on_changed)
        written, means = self.written, self._means
        auth = means.authenticate(self.server, written)
        async with open_session(
            self.server, written, self.home, means.warden, watcher, legacy=self._legacy, auth=auth
        ) as session:
            listed = await session.tools()
            await self._on_tools(listed)
            async with anyio.create_task_group() as tasks:
                self._live = live = _Live(session, tasks, ending)
                self.greeting = session.greeting
                self.connects += 1
                self._enter(ServerState.CONNECTED)
                self._settle()
                tasks.start_soon(session.watch, self._on_changed)
                tasks.start_soon(self._follow, live)
                await ending.wait()
                self._live = None
                self._next_try = self._means.clock.monotonic()
                self._enter(ServerState.WAITING, ending.why)
                tasks.cancel_scope.cancel()

    async def _follow(self, live: _Live) -> None:
        """List the tools again whenever they change, but not all the time."""
        while True:
            await self._changed.wait()
            self._changed = anyio.Event()
            await self._list(live, anyio.Event())
            await anyio.sleep(BETWEEN_LISTS)

    async def _list(self, live: _Live, done: anyio.Event) -> None:
        try:
            with anyio.move_on_after(self.written.connect_timeout.value) as scope:
                listed = await live.session.listed_again()
                if listed is not None:
                    await self._on_tools(listed)
            if scope.cancelled_caught or listed is None:
                live.ending.tell("it does not list its tools any more")
        finally:
            done.set()

    def _silent(self) -> Said:
        limits = {} if self.written.command is None else self.written.program_limits.written()
        return Said(self.server, self._masking, limits)

    def _on_changed(self) -> None:
        self._changed.set()

    def _enter(self, state: ServerState, why: str = "") -> None:
        self.state, self.reason = state, self._masking.text(why)
        self.since = self._means.clock.now()

    def _fail(self, why: str) -> None:
        self._enter(ServerState.WAITING, why)
        self._settle()

    def _settle(self) -> None:
        """Tell whoever waits for this try that it is decided."""
        if self._trying:
            self._trying = False
            settled, self._settled = self._settled, anyio.Event()
            settled.set()


def _in_words(group: BaseExceptionGroup[Exception]) -> str:
    """The first of the reasons of a failure."""
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return one_line(str(found), _LONGEST_WHY) or type(found).__name__
