"""How the model server behaves is written in the base URL, so one server serves every test.

`http://127.0.0.1:PORT/o/latency=50,status=503,rate=0.1/v1` answers after 50 ms and fails every
tenth call; each such path counts its own calls, and `tag=...` gives a test its own counter.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any, final
from urllib.parse import unquote

from attrs import evolve, frozen


@final
class Fault(Enum):
    """What can go wrong on the way, apart from an honest error status."""

    NONE = "none"
    DROP = "drop"
    HANG = "hang"
    CUT = "cut"
    STALL = "stall"
    GARBAGE = "garbage"
    NOT_HTTP = "not-http"
    EMPTY = "empty"
    ARGUMENTS = "arguments"
    CLOSE = "close"


@final
class Framing(Enum):
    """How the end of a plain answer's body is told."""

    LENGTH = "length"
    CHUNKED = "chunked"
    CLOSE = "close"


@final
@frozen
class Behaviour:
    """Everything a base URL can ask for; the default is a quick and faultless echo."""

    latency: float = 0.0
    """Seconds before the first byte."""
    interval: float = 0.0
    """Seconds between streamed events."""
    chunks: int | None = None
    """Pieces of a streamed text; None is one for each word."""
    status: int = 200
    code: str = ""
    """The `error.code` of an answer with an error status."""
    retry_after: str = ""
    fault: Fault = Fault.NONE
    rate: float = 1.0
    """Share of calls that meet the fault or the error status, evenly spread."""
    times: int | None = None
    """Only so many first calls meet it."""
    key: str = ""
    """The API key that a call must carry; empty takes every call."""
    tag: str = ""
    text: str | None = None
    """A fixed answer in place of the echo."""
    finish: str = ""
    usage: bool = True
    framing: Framing = Framing.LENGTH
    padding: int = 0
    """Bytes of white space added to a plain answer."""
    context: int = 131_072
    """Context length in tokens (four characters each); a longer prompt is refused."""
    vision: bool = False
    obey: bool = False
    """It does whatever anybody tells it, wherever that stands (`obeying.py`)."""
    unique: bool = False
    """Every text ends in a number that no other has, and what was asked is kept for `/asked`."""

    def strikes(self, nth: int) -> bool:
        """Whether the nth call (from 1) of this base URL meets the fault or the error status."""
        if self.status == 200 and self.fault is Fault.NONE:
            return False
        if self.times is not None and nth > self.times:
            return False
        return int(nth * self.rate) > int((nth - 1) * self.rate)


class UnknownOptionError(ValueError):
    """A base URL asks for what this server does not know."""


def _seconds(milliseconds: str) -> float:
    return float(milliseconds) / 1000


def _yes(text: str) -> bool:
    return text == "1"


_OPTIONS: dict[str, Callable[[str], object]] = {
    "latency": _seconds,
    "interval": _seconds,
    "chunks": int,
    "status": int,
    "code": str,
    "retry_after": str,
    "fault": Fault,
    "rate": float,
    "times": int,
    "key": str,
    "tag": str,
    "text": str,
    "finish": str,
    "usage": _yes,
    "framing": Framing,
    "padding": int,
    "context": int,
    "vision": _yes,
    "obey": _yes,
    "unique": _yes,
}


def read_behaviour(options: str) -> Behaviour:
    """`latency=50,status=503` as a behaviour; raises on an unknown option or value."""
    changes: dict[str, Any] = {}
    for option in filter(None, options.split(",")):
        name, _, value = option.partition("=")
        if name not in _OPTIONS:
            raise UnknownOptionError(name, "known are", *_OPTIONS)
        try:
            changes[name] = _OPTIONS[name](unquote(value))
        except ValueError as error:
            raise UnknownOptionError(name, error) from error
    return evolve(Behaviour(), **changes)
