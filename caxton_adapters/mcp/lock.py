"""`caxton.lock`: the approved definitions of tools, in a file that may stand under version control.

The file is the truth. It may be changed by hand or by git while the server runs: every approval
begins with reading it, and `watch` notices what others write. One that cannot be read changes
nothing: the definitions that were read before stay approved, and none is added.
"""

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol, TypeAlias, final

import anyio
import anyio.lowlevel
from anyio import to_thread
from attrs import define, field
from returns.result import Failure, Result, Success

from caxton_adapters.mcp.allowance import Allowance
from caxton_adapters.mcp.approval import Approval
from caxton_adapters.mcp.lock_text import read_lock, write_lock
from caxton_adapters.mcp.pins import Discovered, LockRefusal
from caxton_adapters.runtime.toolbox import BadLock, PinnedAnew, PinState
from caxton_core.codes.catalogue import EXPLANATIONS
from caxton_core.ports import Clock
from caxton_core.primitives import ToolName
from caxton_core.primitives.rules import is_unicode
from caxton_core.problems import Problem, Stated
from caxton_core.reading.report import Report, report
from caxton_core.reading.toml_text import decoded
from caxton_core.storage import NotStored
from caxton_core.tools.pinning import Fingerprint, Lock, fingerprint, is_same, pinned
from caxton_core.tools.tool import Tool

LOCK_UNREADABLE: Final = "CX3033"
MOST_PINS: Final = 1000
"""So many tools of a server are approved by their first use; further ones wait for a person."""
_BETWEEN_LOOKS: Final = 2.0
_MENTIONS: Final = 50
_MENTIONS_PER_SECOND: Final = 0.1
_Signature: TypeAlias = tuple[int, int, int] | None


class Tell(Protocol):
    """Where an operator hears of it: a method of the server's log."""

    def __call__(self, event: str, **facts: object) -> None:
        """Write down what happened."""
        ...


def open_lock(
    path: Path, clock: Clock, tell: Tell, approval: Approval = Approval.FIRST_USE
) -> Result["LockFile", BadLock]:
    """The approved definitions; none where there is no file yet."""
    seen, read = _signature(path), _read(path)
    if isinstance(read, Failure):
        return Failure(BadLock(read.failure()))
    return Success(LockFile(path, clock, tell, approval, read.unwrap(), seen))


@final
@define(eq=False)
class LockFile:
    """The approved definitions, as the file has them."""

    path: Path
    _clock: Clock
    _tell: Tell
    _approval: Approval
    _lock: Lock
    _seen: _Signature
    _told: dict[ToolName, Fingerprint] = field(factory=dict, init=False)
    _mentions: dict[str, Allowance] = field(factory=dict, init=False)
    _changing: anyio.Lock = field(factory=anyio.Lock, init=False)

    def known(self, server: str) -> tuple[Tool, ...]:
        """The approved tools of a server, by name."""
        return tuple(pin.tool for pin in self._lock.of_server(server))

    def state(self, tool: Tool) -> PinState:
        """Whether the tool is as it was approved."""
        pin = self._lock.pin(tool.name)
        if pin is None:
            return PinState.NEW
        return PinState.APPROVED if is_same(pin, tool) else PinState.CHANGED

    def approved(self, name: ToolName) -> Tool | None:
        """The tool as it was approved."""
        pin = self._lock.pin(name)
        return None if pin is None else pin.tool

    async def note(self, tools: Collection[Tool]) -> Result[Discovered, LockRefusal]:
        """Approve what was never seen before, if that may be, and tell what has changed."""
        new = _fitting(self._lock, [tool for tool in tools if self.state(tool) is PinState.NEW])
        if new and self._approval is Approval.FIRST_USE:
            pinned_now = await self._pin(new, anew=False)
            if isinstance(pinned_now, Failure):
                return pinned_now
        self._forget_others(tools)
        for tool in tools:
            self._mention(tool)
            await anyio.lowlevel.checkpoint()
        return Success(
            Discovered(
                self._those(tools, PinState.APPROVED),
                self._those(tools, PinState.NEW),
                self._those(tools, PinState.CHANGED),
            )
        )

    async def approve(self, tools: Collection[Tool]) -> Result[Sequence[PinnedAnew], LockRefusal]:
        """Take the definitions as they are now, whatever was approved before."""
        return await self._pin(tools, anew=True)

    async def watch(self, noticed: Callable[[], object]) -> None:
        """Notice what others write into the file, until cancelled; `noticed` is called then."""
        while True:
            await anyio.sleep(_BETWEEN_LOOKS)
            if await self.refresh():
                noticed()

    async def refresh(self) -> bool:
        """Read the file again if it is another one now; one with problems is told and left.

        Whether other definitions are approved than before.
        """
        async with self._changing:
            seen = await to_thread.run_sync(_signature, self.path)
            if seen == self._seen:
                return False
            self._seen, before = seen, self._lock
            read = await self._read()
            if isinstance(read, Failure):
                places = [
                    f"{each.range.line}:{each.range.column}" for each in read.failure().placed
                ]
                self._tell("tools.lock_unreadable", path=str(self.path), at=places)
            else:
                self._lock = read.unwrap()
                self._tell("tools.lock_read", path=str(self.path), tools=len(self._lock.pins))
        return self._lock != before

    async def _pin(
        self, tools: Collection[Tool], *, anew: bool
    ) -> Result[Sequence[PinnedAnew], LockRefusal]:
        async with self._changing:
            read = await self._read()
            if isinstance(read, Failure):
                return Failure(BadLock(read.failure()))
            lock, now = read.unwrap(), self._clock.now()
            fresh = [tool for tool in tools if _wants_pin(lock, tool, anew=anew)]
            fresh = fresh if anew else _fitting(lock, fresh)
            changed = await to_thread.run_sync(_pinned_anew, lock, fresh)
            if fresh:
                lock = await to_thread.run_sync(_with_pins, lock, fresh, now)
                written = await to_thread.run_sync(_write, self.path, lock)
                if isinstance(written, Failure):
                    return written
                self._seen = written.unwrap()
            self._lock = lock
        if fresh:
            self._tell("tools.approved", tools=[tool.name.value for tool in fresh])
        return Success(changed)

    async def _read(self) -> Result[Lock, Report]:
        return await to_thread.run_sync(_read, self.path)

    def _mention(self, tool: Tool) -> None:
        """Have the operator hear once of each definition that waits for him, sooner or later."""
        state = self.state(tool)
        if state is PinState.APPROVED:
            return
        seen = fingerprint(tool)
        if self._told.get(tool.name) == seen:
            return
        server = tool.name.server
        few = self._mentions.setdefault(server, Allowance(_MENTIONS, _MENTIONS_PER_SECOND))
        if few.take():
            self._told[tool.name] = seen
            self._tell(f"tool.{state.value}", tool=tool.name.value, hash=seen.value, security=True)

    def _forget_others(self, tools: Collection[Tool]) -> None:
        """Keep in mind of these servers only what they offer now."""
        names = {tool.name for tool in tools}
        servers = {name.server for name in names}
        self._told = {
            name: seen
            for name, seen in self._told.items()
            if name in names or name.server not in servers
        }

    def _those(self, tools: Collection[Tool], state: PinState) -> tuple[ToolName, ...]:
        return tuple(tool.name for tool in tools if self.state(tool) is state)


def _wants_pin(lock: Lock, tool: Tool, *, anew: bool) -> bool:
    """Whether a pin is to be written; a description that is no text can have none."""
    pin = lock.pin(tool.name)
    return is_unicode(tool.description) and (pin is None or (anew and not is_same(pin, tool)))


def _pinned_anew(lock: Lock, tools: Iterable[Tool]) -> tuple[PinnedAnew, ...]:
    pins = ((tool, lock.pin(tool.name)) for tool in tools)
    return tuple(
        PinnedAnew(tool.name, None if pin is None else pin.hash, fingerprint(tool))
        for tool, pin in pins
    )


def _with_pins(lock: Lock, tools: Iterable[Tool], now: datetime) -> Lock:
    return lock.with_pins(pinned(tool, now=now) for tool in tools)


def _fitting(lock: Lock, fresh: Sequence[Tool]) -> list[Tool]:
    """Those of the tools for which there is room among the pins of their servers."""
    room = Counter({tool.name.server: MOST_PINS for tool in fresh})
    room.subtract(name.server for name in lock.pins)
    fitting = []
    for tool in fresh:
        room[tool.name.server] -= 1
        if room[tool.name.server] >= 0:
            fitting.append(tool)
    return fitting


def _read(path: Path) -> Result[Lock, Report]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Success(Lock())
    except OSError as error:
        return Failure(_unreadable(path, error.strerror or str(error)))
    if not content:  # left by versions that locked their directory with a file of this name
        return Success(Lock())
    text = decoded(content)
    if isinstance(text, Failure):
        return Failure(report([text.failure()], "", str(path)))
    return read_lock(text.unwrap(), str(path))


def _unreadable(path: Path, why: str) -> Report:
    explained = EXPLANATIONS[LOCK_UNREADABLE]
    message = explained.message.format(path=path, reason=why)
    return report([Problem((), Stated(LOCK_UNREADABLE, message, explained.advice))], "", str(path))


def _signature(path: Path) -> _Signature:
    """What tells one file from another in its place; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _write(path: Path, lock: Lock) -> Result[_Signature, NotStored]:
    """Put the lock in place of the file at once and for good; its mode stays."""
    place = Path(os.path.realpath(path))
    fresh = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            if place.exists():
                os.fchmod(file.fileno(), place.stat().st_mode & 0o7777)
            file.write(write_lock(lock))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(place)
        _settle(place.parent)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        return Failure(NotStored(f"{path}: {error.strerror or error}"))
    return Success(_signature(path))


def _settle(directory: Path) -> None:
    """Have the new name of a file survive a loss of power."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
