"""What a server says beside its answers: log messages, standard error, progress, garbage.

All of it goes to the log of the standard library, `caxton.mcp`, cut to size and to a rate.
"""

import logging
import re
import signal
from collections import deque
from collections.abc import Mapping
from typing import Final, final

from attrs import define, field

from caxton_adapters.mcp.allowance import Allowance
from caxton_adapters.mcp.masking import Masking
from caxton_adapters.mcp.visible import one_line

LOG: Final = logging.getLogger("caxton.mcp")

_LONGEST: Final = 1000
_KEPT: Final = 64 * _LONGEST
_TAIL: Final = 10
_LINES_PER_SECOND: Final = 20
_BURST: Final = 200
_WROTE_TOO_MUCH: Final = -signal.SIGXFSZ
_WORDS: Final = {
    "memory": re.compile(
        "(?i)out of ?memory|memoryerror|cannot allocate memory|bad_alloc|allocation .*failed"
    ),
    "open_files": re.compile("(?i)too many open files"),
    "file_size": re.compile("(?i)file too large"),
}
"""How programs complain of a limit."""
_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "notice": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.ERROR,
    "alert": logging.ERROR,
    "emergency": logging.ERROR,
}


@final
@define(eq=False)
class Said:
    """What one server said since its connection began, without the secrets that it has."""

    _server: str
    _masking: Masking = field(factory=Masking)
    _limits: Mapping[str, str] = field(factory=dict)
    exit_code: int | None = field(default=None, init=False)
    garbage: int = field(default=0, init=False)
    _reached: set[str] = field(factory=set, init=False)
    _tail: deque[str] = field(factory=lambda: deque(maxlen=_TAIL), init=False)
    _partial: bytes = field(default=b"", init=False)
    _allowance: Allowance = field(factory=lambda: Allowance(_BURST, _LINES_PER_SECOND), init=False)

    def on_stderr(self, data: bytes) -> None:
        """Keep the last lines, and log them all as far as the rate allows."""
        # What is cut would not be found any more.
        masked = self._masking.raw(self._partial + data[-_KEPT:])
        *lines, rest = masked.split(b"\n")
        self._partial = rest[-_LONGEST:]
        for line in lines[-_BURST:]:
            text = one_line(line[:_LONGEST].decode("utf-8", "replace"), _LONGEST)
            if text:
                self._tail.append(text)
                self._reached.update(limit for limit in _WORDS if _WORDS[limit].search(text))
                self._log(logging.DEBUG, "stderr", text)

    def on_garbage(self, line: bytes) -> None:
        """Note a line of its output that is no message."""
        self.garbage += 1
        masked = self._masking.raw(line[:_KEPT])
        text = one_line(masked[:_LONGEST].decode("utf-8", "replace"), 200)
        if self.garbage == 1:
            self._tail.append(f"not a message: {text}")
        self._log(logging.DEBUG, "no message", text)

    def on_log(self, level: str, logger: str, message: str) -> None:
        """Log a message that it sent for this."""
        said = one_line(self._masking.text(message), _LONGEST)
        name = one_line(self._masking.text(logger), 100)
        text = f"{name}: {said}" if name else said
        self._log(_LEVELS.get(level, logging.INFO), "said", text)

    def on_progress(self, tool: str, progress: float, total: float | None, message: str) -> None:
        """Note how far a call is."""
        of = "" if total is None else f" of {total:g}"
        said = one_line(self._masking.text(message), 200)
        self._log(logging.DEBUG, "progress", f"{tool}: {progress:g}{of} {said}")

    def ended(self, why: str) -> str:
        """The reason of an end, with the exit code and the last words."""
        code = self.exit_code
        died = "" if code is None else f" (exit code {code})" if code >= 0 else f" (signal {-code})"
        told = f"{why}{died}{self._limits_reached()}{self._last_words()}"
        return one_line(self._masking.text(told), _LONGEST)

    def _limits_reached(self) -> str:
        """The limits of which it complained, as far as it has them."""
        reached = self._reached | ({"file_size"} if self.exit_code == _WROTE_TOO_MUCH else set())
        told = (f"`limits.{key}` is {self._limits[key]}" for key in self._limits if key in reached)
        return "".join(f"; its {each}" for each in told)

    def _last_words(self) -> str:
        partial = one_line(self._partial.decode("utf-8", "replace"), _LONGEST)
        lines = [*self._tail, *([partial] if partial else [])]
        return f"; it said: {' | '.join(lines[-3:])}" if lines else ""

    def _log(self, level: int, kind: str, text: str) -> None:
        if LOG.isEnabledFor(level) and self._allowance.take():
            LOG.log(level, "%s %s: %s", self._server, kind, text)
