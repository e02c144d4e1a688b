"""A server of tools as a child process: lines of JSON over its standard input and output.

Its own transport in place of the library's: no line is longer than allowed, nothing is copied
twice, what it writes faster than it is read stays in the pipe, and nothing of it is left behind.
"""

import asyncio
import contextlib
import json
import os
import shlex
import shutil
import signal
import sys
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeAlias, cast, final

import anyio
import anyio.lowlevel
from anyio import to_thread
from attrs import define, field
from mcp.client import Transport
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCMessage, jsonrpc_message_adapter

from caxton_adapters.mcp.ending import Ending
from caxton_adapters.mcp.frames import Frames, FrameTooLong
from caxton_adapters.mcp.homes import Home, begins_in
from caxton_adapters.mcp.program_limits import ProgramLimits
from caxton_adapters.mcp.registration import Registration
from caxton_adapters.mcp.relative import astray
from caxton_adapters.mcp.said import Said
from caxton_adapters.mcp.stream import Stream
from caxton_adapters.mcp.warden import Warden

INHERITED: Final = ("PATH", "LANG")

_LAUNCHER: Final = Path(__file__).with_name("launcher.py")
_GRACE: Final = 2.0
_POLL: Final = 0.02
_NO_LIMIT: Final = -1
_WAYS: Final = "write its whole path, or where the program begins (`cwd`)"
_BACKLOG: Final = 64
"""As many messages wait to be taken before the pipe is left alone."""

_Incoming: TypeAlias = "SessionMessage | Exception"


@final
class NotStarted(OSError):
    """The command could not be started."""


@final
@define(eq=False)
class StdioTransport(Transport):
    """Starts the command when entered, and has it gone when left."""

    _written: Registration
    _home: Home
    _warden: Warden
    _ending: Ending
    _said: Said
    _child: "_Child | None" = field(default=None, init=False)

    async def __aenter__(self) -> "tuple[_Reader, _Writer]":
        await to_thread.run_sync(_prepare, self._home)
        environment = environment_of(self._written, os.environ, self._home)
        directory = begins_in(self._written, self._home).absolute()
        command = _command(self._written, environment, directory)
        child = _Child(self._written.max_frame.value, self._warden, self._ending, self._said)
        try:
            await asyncio.get_running_loop().subprocess_exec(
                lambda: child,
                sys.executable,
                "-I",
                "-S",
                str(_LAUNCHER),
                str(os.getpid()),
                *_limits(self._written.program_limits),
                *command,
                env=environment,
                cwd=directory,
                start_new_session=True,
            )
            self._child = child
        finally:
            if self._child is None:  # it may run already when this is cancelled
                with anyio.CancelScope(shield=True):
                    await child.stop()
        return _Reader(child), _Writer(child)

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        if self._child is not None:
            with anyio.CancelScope(shield=True):
                await self._child.stop()


def environment_of(written: Registration, ours: Mapping[str, str], home: Home) -> dict[str, str]:
    """The variables that the program gets, and no others."""
    inherited = {name: ours[name] for name in INHERITED if name in ours}
    own = {"HOME": str(home.path), "TMPDIR": str(home.temporary)}
    return inherited | own | {name: text.value for name, text in written.env.items()}


def _prepare(home: Home) -> None:
    try:
        home.make()
    except OSError as error:
        message = f"{home.path} cannot be the program's directory: {error.strerror or error!r}"
        raise NotStarted(message) from error


def _command(
    written: Registration, environment: Mapping[str, str], directory: Path
) -> tuple[str, ...]:
    """The program by its whole path, and its arguments; without a `cwd` it is sought here."""
    assert written.command is not None
    name = written.command.value
    lost = None if written.cwd is not None else astray(_named(written))
    if lost is not None:
        message = f"its {lost} would be sought in a directory of its own: {_WAYS}"
        raise NotStarted(message)
    if not directory.is_dir():
        message = f"there is no directory {directory}"
        raise NotStarted(message)
    path = Path(name).expanduser()
    if "/" in name and written.cwd is not None:
        path = directory / path
    found = shutil.which(str(path) if "/" in name else name, path=environment.get("PATH"))
    if found is None:
        message = f"there is no program {shlex.quote(written.command.shown)}"
        raise NotStarted(message)
    return (str(Path(found).absolute()), *(argument.value for argument in written.args))


def _named(written: Registration) -> dict[str, str]:
    """What the program is told, by how it may be shown: the values of variables are secrets."""
    arguments = {f"argument {shlex.quote(each.shown)}": each.value for each in written.args}
    return arguments | {f"variable {name}": text.value for name, text in written.env.items()}


def _limits(limits: ProgramLimits) -> tuple[str, str, str]:
    """What the launcher is told; as each process of the program has it."""
    memory = _NO_LIMIT if limits.memory is None else limits.memory.value
    return str(memory), str(limits.open_files.value), str(limits.file_size.value)


@final
class _Child(asyncio.SubprocessProtocol):
    """The process, as its pipes tell of it."""

    def __init__(self, longest: int, warden: Warden, ending: Ending, said: Said) -> None:
        self.arrived: deque[SessionMessage] = deque()
        self.at_end = False
        self._frames = Frames(longest)
        self._longest = longest
        self._warden = warden
        self._ending = ending
        self._said = said
        self._transport: asyncio.SubprocessTransport | None = None
        self._pid = 0
        self._waiter: asyncio.Future[None] | None = None
        self._held = False
        self._exited = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Have the warden know of it before anything else happens."""
        self._transport = cast("asyncio.SubprocessTransport", transport)
        self._pid = self._transport.get_pid()
        self._warden.watch(self._pid)

    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        """Take what the process wrote."""
        assert isinstance(data, bytes)
        if fd != 1:
            self._said.on_stderr(data)
            return
        if self.at_end:
            return
        try:
            for line in self._frames.feed(data):
                self._take(line)
        except FrameTooLong:
            self._end(f"a message of the server is longer than {self._longest:,} bytes")
        self._wake()

    def _take(self, line: bytes) -> None:
        if not line.strip():
            return
        message = message_of(line)
        if message is None:
            self._said.on_garbage(line)
            return
        self.arrived.append(SessionMessage(message))
        if len(self.arrived) > _BACKLOG:
            self._hold()

    def _hold(self) -> None:
        pipe = self._output()
        if not self._held and pipe is not None:
            self._held = True
            pipe.pause_reading()

    def release(self) -> None:
        """Go on reading, when what arrived has been taken."""
        pipe = self._output()
        if self._held and len(self.arrived) < _BACKLOG and pipe is not None:
            self._held = False
            pipe.resume_reading()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002
        """A closed output is the end; a closed input is noticed by whoever writes."""
        if fd == 1:
            self._end("it closed its output")
        if fd == 0:
            self._writable.set()

    def process_exited(self) -> None:
        """Note that it ended; its output may still be on the way."""
        self._said.exit_code = None if self._transport is None else self._transport.get_returncode()
        self._exited.set()
        self._writable.set()

    def pause_writing(self) -> None:
        """It does not read as fast as we write."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It has read what we wrote."""
        self._writable.set()

    def _end(self, why: str) -> None:
        if not self.at_end:
            self.at_end = True
            self._wake()
            self._ending.tell(why)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def more(self) -> None:
        """Return when something arrived, or nothing will."""
        while not self.arrived and not self.at_end:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    async def write(self, data: bytes) -> None:
        """Write to the process, as fast as it reads; raises `BrokenResourceError`."""
        await self._writable.wait()
        pipe = self._input()
        if self.at_end or pipe is None or pipe.is_closing():
            raise anyio.BrokenResourceError
        pipe.write(data)

    # The pipes of uvloop are transports without saying so.
    def _input(self) -> asyncio.WriteTransport | None:
        pipe = None if self._transport is None else self._transport.get_pipe_transport(0)
        return cast("asyncio.WriteTransport | None", pipe)

    def _output(self) -> asyncio.ReadTransport | None:
        pipe = None if self._transport is None else self._transport.get_pipe_transport(1)
        return cast("asyncio.ReadTransport | None", pipe)

    async def stop(self) -> None:
        """End the process and everything that it started: asked, told, made to."""
        if self._transport is None:
            return
        self.at_end = True
        self._wake()
        self.arrived.clear()
        self.release()  # a process that is stuck with writing cannot read that it shall end
        pipe = self._input()
        if pipe is not None:
            pipe.close()
        if not await self._ends_within(_GRACE):
            self._signal(signal.SIGTERM)
            if not await self._ends_within(_GRACE):
                self._signal(signal.SIGKILL)
                await self._ends_within(_GRACE)
        await self._clear()
        with contextlib.suppress(OSError, RuntimeError):
            self._transport.close()

    async def _clear(self) -> None:
        """End what the process left behind in its group."""
        self._signal(signal.SIGTERM)
        with anyio.move_on_after(_GRACE):
            while self._signal(0):  # noqa: ASYNC110 - a group tells nobody that it is empty
                await anyio.sleep(_POLL)
        self._signal(signal.SIGKILL)
        self._warden.forget(self._pid)

    async def _ends_within(self, seconds: float) -> bool:
        with anyio.move_on_after(seconds):
            await self._exited.wait()
        return self._exited.is_set()

    def _signal(self, number: int) -> bool:
        """Whether there was somebody to signal."""
        try:
            os.killpg(self._pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True


def message_of(line: bytes) -> JSONRPCMessage | None:
    """The message that a line is, if it is one."""
    try:
        return jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValueError:
        return _repaired(line)


def _repaired(line: bytes) -> JSONRPCMessage | None:
    """The message of a line whose text is no Unicode, for which its caller would wait for ever."""
    try:
        parsed = json.loads(line.decode("utf-8", "replace"))
        text = json.dumps(parsed, ensure_ascii=False).encode("utf-8", "replace")
        return jsonrpc_message_adapter.validate_json(text, by_name=False)
    except (ValueError, RecursionError):
        return None


@final
@define(eq=False)
class _Reader(Stream):
    """The messages of the server, one by one."""

    _child: _Child

    async def receive(self) -> _Incoming:
        """The next message; raises `EndOfStream`."""
        if self._child.arrived:
            await anyio.lowlevel.checkpoint()
        else:
            self._child.release()
            await self._child.more()
        if not self._child.arrived:
            raise anyio.EndOfStream
        return self._child.arrived.popleft()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> _Incoming:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def aclose(self) -> None:
        """Take no more messages."""
        self._child.arrived.clear()


@final
@define(eq=False)
class _Writer(Stream):
    """Messages for the server."""

    _child: _Child

    async def send(self, item: SessionMessage, /) -> None:
        """Write one message; raises `BrokenResourceError`."""
        text = item.message.model_dump_json(by_alias=True, exclude_unset=True)
        await self._child.write(text.encode("utf-8", "replace") + b"\n")

    async def aclose(self) -> None:
        """Nothing is buffered here."""
