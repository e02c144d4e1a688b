"""The server's log: one line per event, JSON or text, written at once, without secrets."""

import json
import os
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Final, TypeAlias, final

import msgspec

from caxton_adapters.process.private import open_to_append
from caxton_adapters.secrets import MASK, Secret

Clock: TypeAlias = Callable[[], datetime]
Encoder: TypeAlias = Callable[[dict[str, object]], bytes]
STDERR = 2

_UNSEEN: Final = re.compile(
    "[\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
"""What a terminal obeys or hides, and JSON leaves as it is."""
_GIVEN_OUT: Final = re.compile(rb"cx_[A-Za-z0-9_-]{43}")
"""A token that the server gave out, which is kept nowhere and so cannot be looked for."""


class LogLevel(IntEnum):
    """How much it matters; the numbers are those of `logging`."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40


class LogFormat(StrEnum):
    """How a line looks; AUTO is text on a terminal and JSON elsewhere."""

    AUTO = "auto"
    JSON = "json"
    TEXT = "text"


def _now() -> datetime:
    return datetime.now(UTC)


@final
class Log:
    """Where events of the server are written; a line is one write, so lines never mix."""

    def __init__(
        self,
        descriptor: int,
        level: LogLevel = LogLevel.INFO,
        log_format: LogFormat = LogFormat.JSON,
        *,
        secrets: Iterable[Secret] = (),
        clock: Clock = _now,
    ) -> None:
        self._descriptor = descriptor
        self._level = level
        self._encode: Encoder = as_text if log_format is LogFormat.TEXT else _json.encode
        self._hidden: tuple[bytes, ...] = ()
        self._clock = clock
        self.hide(secrets)

    def hide(self, secrets: Iterable[Secret]) -> None:
        """Show none of these from now on; longer ones go first, which may hold others."""
        forms = {form for secret in secrets for form in _written_forms(secret)}
        self._hidden = tuple(sorted({*self._hidden, *forms}, key=len, reverse=True))

    def debug(self, event: str, **facts: object) -> None:
        """Something that only a developer wants to know."""
        if self._level <= LogLevel.DEBUG:
            self._write("debug", event, facts)

    def info(self, event: str, **facts: object) -> None:
        """Something that an operator may want to know."""
        if self._level <= LogLevel.INFO:
            self._write("info", event, facts)

    def warning(self, event: str, **facts: object) -> None:
        """Something that an operator should look at."""
        if self._level <= LogLevel.WARNING:
            self._write("warning", event, facts)

    def error(self, event: str, **facts: object) -> None:
        """Something that failed."""
        if self._level <= LogLevel.ERROR:
            self._write("error", event, facts)

    def _write(self, level: str, event: str, facts: dict[str, object]) -> None:
        line = self._encoded({"time": self._clock(), "level": level, "event": event, **facts})
        for form in self._hidden:
            if form in line:
                line = line.replace(form, MASK.encode())
        if b"cx_" in line:
            line = _GIVEN_OUT.sub(MASK.encode(), line)
        line = _visible(line)
        try:
            os.write(self._descriptor, line + b"\n")
        except OSError:
            # A full disk or a closed terminal must not end the server; there is nowhere to say so.
            return

    def _encoded(self, facts: dict[str, object]) -> bytes:
        try:
            return self._encode(facts)
        except UnicodeEncodeError:
            return self._encode({name: _storable(fact) for name, fact in facts.items()})


def open_log(
    path: Path | None,
    level: LogLevel,
    log_format: LogFormat,
    secrets: Iterable[Secret],
) -> Log:
    """The log on a file, or on standard error; raises OSError where the file cannot be opened."""
    descriptor = STDERR if path is None else open_to_append(path)
    return Log(descriptor, level, _settled(log_format, descriptor), secrets=secrets)


def as_text(facts: dict[str, object]) -> bytes:
    """One line for a person: time, level, event, then the other facts as name=value."""
    time = facts["time"]
    shown = time.isoformat(timespec="milliseconds") if isinstance(time, datetime) else str(time)
    rest = [
        f"{name}={_json.encode(value).decode()}"
        for name, value in facts.items()
        if name not in ("time", "level", "event")
    ]
    return " ".join([shown, f"{facts['level']:<7}", str(facts["event"]), *rest]).encode()


def _visible(line: bytes) -> bytes:
    """The line with its invisible characters as JSON writes them by their numbers."""
    if line.isascii() and b"\x7f" not in line:
        return line
    return _UNSEEN.sub(lambda found: _by_number(found[0]), line.decode()).encode()


def _by_number(character: str) -> str:
    return "\\u007f" if character == "\x7f" else json.dumps(character)[1:-1]


def _storable(fact: object) -> object:
    """The fact without halves of characters, as names of files may have them."""
    match fact:
        case str():
            return fact.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {_storable(name): _storable(value) for name, value in fact.items()}
        case list() | tuple():
            return [_storable(value) for value in fact]
        case Path() | BaseException():
            return _storable(str(fact))
        case _:
            return fact


def _settled(log_format: LogFormat, descriptor: int) -> LogFormat:
    if log_format is LogFormat.AUTO:
        return LogFormat.TEXT if os.isatty(descriptor) else LogFormat.JSON
    return log_format


def _written_forms(secret: Secret) -> tuple[bytes, ...]:
    """How a secret would look inside a line: as it is, and escaped as JSON."""
    plain = secret.reveal().encode("utf-8", "surrogatepass")
    if not plain:
        return ()
    return tuple({plain, _json.encode(secret.reveal())[1:-1]})


_json = msgspec.json.Encoder(enc_hook=str)
