"""What libraries say through `logging` goes where the server's own events go."""

import logging
from typing import final

from caxton_adapters.process.log import Log


@final
class ToLog(logging.Handler):
    """Hands records of the standard library's logging to the server's log."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record as an event named `library`."""
        facts: dict[str, object] = {"logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            facts["exception"] = logging.Formatter().formatException(record.exc_info)
        if record.levelno >= logging.ERROR:
            self._log.error("library", **facts)
        elif record.levelno >= logging.WARNING:
            self._log.warning("library", **facts)
        else:
            self._log.info("library", **facts)


def adopt(log: Log) -> None:
    """Send warnings and errors of every library to the log, and nothing to standard error."""
    logging.root.handlers = [ToLog(log)]
    logging.root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
