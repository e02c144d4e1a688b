"""What is sent and what comes back."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias, final

from attrs import frozen

Header: TypeAlias = tuple[bytes, bytes]

SUCCESSES = range(200, 300)


def request_head(method: str, target: str, host: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """A request up to the value of its Content-Length.

    A header that would break the request is a ValueError, which does not show the value.
    """
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Accept-Encoding: identity"]
    for name, value in headers:
        if not value.isascii() or not value.isprintable():
            message = f"the value of the header {name!r} cannot be sent"
            raise ValueError(message)
        lines.append(f"{name}: {value}")
    return ("\r\n".join(lines) + "\r\nContent-Length: ").encode("ascii")


@final
@frozen
class Response:
    """A whole response."""

    status: int
    headers: Sequence[Header]
    body: bytes

    def header(self, name: bytes) -> str | None:
        """The first header of this name, which is given in lower case."""
        return header(self.headers, name)


def header(headers: Sequence[Header], name: bytes) -> str | None:
    """The first header of this name, which is given in lower case."""
    for key, value in headers:
        if key.lower() == name:
            return value.decode("latin-1").strip()
    return None
