"""The addresses that a client connects to."""

from typing import Self, final
from urllib.parse import unquote, urlsplit

from attrs import frozen

DEFAULT_PORTS = {"http": 80, "https": 443}


@final
@frozen
class Origin:
    """Where connections go: two requests to one origin may share a connection."""

    scheme: str
    host: str
    port: int

    @property
    def secure(self) -> bool:
        """Whether it is spoken to through TLS."""
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """Host and port as a CONNECT request names them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def host_header(self) -> str:
        """The authority without the scheme's own port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


@final
@frozen
class Url:
    """An absolute http or https address; `path` keeps its query."""

    origin: Origin
    path: str
    user: str | None = None
    password: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address; anything but a plain http(s) URL is a ValueError."""
        parts = urlsplit(text)
        if parts.scheme not in DEFAULT_PORTS:
            message = "an address starts with http:// or https://"
            raise ValueError(message)
        if not parts.hostname:
            message = "the address names no host"
            raise ValueError(message)
        if any(character <= " " or character == "\x7f" for character in text):
            message = "the address holds a blank or a control character"
            raise ValueError(message)
        port = DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(
            Origin(parts.scheme, _ascii_host(parts.hostname), port),
            path,
            None if parts.username is None else unquote(parts.username),
            None if parts.password is None else unquote(parts.password),
        )


def _ascii_host(host: str) -> str:
    return host if host.isascii() else host.encode("idna").decode("ascii")
