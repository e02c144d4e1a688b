"""Server-sent events, read line by line as they arrive."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class ServerSentEvent(NamedTuple):
    """One event: its name (`message` where none is given) and its text."""

    name: str
    text: str


def read_events(lines: Iterable[bytes]) -> Iterator[ServerSentEvent]:
    """The events in the lines; comments and fields that we do not use are passed over."""
    name, texts = "message", list[str]()
    for raw in lines:
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if texts:
                yield ServerSentEvent(name, "\n".join(texts))
            name, texts = "message", []
        elif field == "event":
            name = value
        elif field == "data":
            texts.append(value)
