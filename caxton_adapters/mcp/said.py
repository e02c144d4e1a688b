"""What a server says beside its answers: log messages, standard error, progress, garbage.

All of it goes to the log of the standard library, `caxton.mcp`, cut to size and to a rate.
"""

import logging
import time
from collections import deque
from typing import Final, final

from attrs import define, field

from caxton_adapters.mcp.visible import one_line

LOG: Final = logging.getLogger("caxton.mcp")

_LONGEST: Final = 1000
_TAIL: Final = 10
_LINES_PER_SECOND: Final = 20
_BURST: Final = 200
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
    """What one server said since its connection began; counters never go back."""

    _server: str
    exit_code: int | None = field(default=None, init=False)
    logged: int = field(default=0, init=False)
    progressed: int = field(default=0, init=False)
    garbage: int = field(default=0, init=False)
    suppressed: int = field(default=0, init=False)
    _tail: deque[str] = field(factory=lambda: deque(maxlen=_TAIL), init=False)
    _partial: bytes = field(default=b"", init=False)
    _allowance: float = field(default=_BURST, init=False)
    _since: float = field(factory=time.monotonic, init=False)

    def on_stderr(self, data: bytes) -> None:
        """Keep the last lines, and log them all as far as the rate allows."""
        *lines, rest = (self._partial + data[-64 * _LONGEST :]).split(b"\n")
        self._partial = rest[-_LONGEST:]
        for line in lines[-_BURST:]:
            text = one_line(line[:_LONGEST].decode("utf-8", "replace"), _LONGEST)
            if text:
                self._tail.append(text)
                self._log(logging.DEBUG, "stderr", text)

    def on_garbage(self, line: bytes) -> None:
        """Note a line of its output that is no message."""
        self.garbage += 1
        text = one_line(line[:_LONGEST].decode("utf-8", "replace"), 200)
        if self.garbage == 1:
            self._tail.append(f"not a message: {text}")
        self._log(logging.DEBUG, "no message", text)

    def on_log(self, level: str, logger: str, message: str) -> None:
        """Log a message that it sent for this."""
        self.logged += 1
        said = one_line(message, _LONGEST)
        name = one_line(logger, 100)
        text = f"{name}: {said}" if name else said
        self._log(_LEVELS.get(level, logging.INFO), "said", text)

    def on_progress(self, tool: str, progress: float, total: float | None, message: str) -> None:
        """Note how far a call is."""
        self.progressed += 1
        of = "" if total is None else f" of {total:g}"
        self._log(logging.DEBUG, "progress", f"{tool}: {progress:g}{of} {one_line(message, 200)}")

    def ended(self, why: str) -> str:
        """The reason of an end, with the exit code and the last words."""
        code = self.exit_code
        died = "" if code is None else f" (exit code {code})" if code >= 0 else f" (signal {-code})"
        return one_line(f"{why}{died}{self._last_words()}", _LONGEST)

    def _last_words(self) -> str:
        partial = one_line(self._partial.decode("utf-8", "replace"), _LONGEST)
        lines = [*self._tail, *([partial] if partial else [])]
        return f"; it said: {' | '.join(lines[-3:])}" if lines else ""

    def _log(self, level: int, kind: str, text: str) -> None:
        if not LOG.isEnabledFor(level):
            return
        now = time.monotonic()
        earned = (now - self._since) * _LINES_PER_SECOND
        self._allowance, self._since = min(_BURST, self._allowance + earned), now
        if self._allowance < 1:
            self.suppressed += 1
            return
        self._allowance -= 1
        LOG.log(level, "%s %s: %s", self._server, kind, text)
