"""`caxton server status`: whether a server answers, told within a few times a bare interpreter."""

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from caxton_cli import exits, places

if TYPE_CHECKING:
    import socket

TIMEOUT = 2.0
READY = ("pass", "degraded")
CONDITIONS = (*READY, "starting", "draining", "fail")
_MOST = 1024 * 1024


class NotTrusted(Exception):
    """Whoever answers does not prove who it is."""


def print_status(
    url: str, directory: str, token: str | None = None, way: str = "", *, as_json: bool
) -> int:
    """Print whether the server answers at the URL, and who it is; 0 when it does, 3 when not.

    It is asked in another `way` where there is one: through its UNIX socket.
    """
    try:
        answer, doubt = probe(way or url, token), ""
    except NotTrusted as error:
        answer, doubt = None, f"its certificate is not accepted: {error}"
    running = answer is not None
    condition, reasons = answer or ("", [doubt] if doubt else [])
    owner = places.owner(directory)
    mine = owner if owner.get("url") == url else {}
    waiting = not running and bool(mine) and places.is_locked(directory)
    if as_json:
        at = {"url": url, "socket": mine.get("socket")}
        facts = {"running": running, **at, "ready": condition in READY, **_identity(mine)}
        told = {"status": condition, "reasons": reasons} if running or doubt else {}
        _print_json({**facts, "data_dir": directory, **told})
    elif running:
        print(f"caxton is running at {url}{_who(mine)}{_mood(condition)}")
        for reason in reasons:
            print(f"  {reason}")
    elif doubt:
        print(f"the server at {url} is not asked: {doubt}")
    elif waiting:
        print(f"caxton holds {directory} but does not answer at {url}{_who(mine)}")
    else:
        print(f"server is not running at {url}; start it: caxton server start")
    return exits.DONE if running else exits.NOT_RUNNING


def lean_status(environ: Mapping[str, str], *, as_json: bool) -> int:
    """The status of the server that the surroundings name."""
    url, directory = places.server_url(environ), places.data_dir(environ)
    token, way = environ.get("CAXTON_API_TOKEN"), places.way_in(environ)
    return print_status(url, directory, token, way, as_json=as_json)


def probe(url: str, token: str | None = None) -> tuple[str, list[str]] | None:
    """How the server does and why, in the words of its /health; None where no Caxton answers.

    Raises NotTrusted.
    """
    secret = {"Authorization": f"Bearer {token}"} if token else {}
    scheme, _, rest = url.partition("://")
    authority, _, prefix = rest.partition("/")
    unix_socket = places.socket_path(url)
    path = f"/{prefix.rstrip('/')}/health" if prefix.strip("/") else "/health"
    if unix_socket is not None:
        answer = _asked("localhost", "/health", secret, unix_socket)
    elif scheme == "http":
        answer = _asked(authority, path, secret)
    else:
        answer = _asked_encrypted(url, secret)
    return None if answer is None else _condition_in(answer)


def _asked(
    authority: str, path: str, headers: Mapping[str, str], unix_socket: str | None = None
) -> bytes | None:
    """The body of the answer; loading an HTTP client would take longer than the answer."""
    more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"GET {path} HTTP/1.0\r\nHost: {authority}\r\n{more}\r\n"
    try:
        with _channel(authority, unix_socket) as channel:
            channel.sendall(request.encode("ascii", "replace"))
            with channel.makefile("rb") as file:
                whole = file.read(_MOST)
    except (OSError, ValueError):
        return None
    head, _, body = whole.partition(b"\r\n\r\n")
    return body if head.startswith(b"HTTP/1.") else None


def _channel(authority: str, unix_socket: str | None) -> "socket.socket":
    import socket

    if unix_socket is None:
        return socket.create_connection(split_authority(authority), TIMEOUT)
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    channel.settimeout(TIMEOUT)
    try:
        channel.connect(unix_socket)
    except OSError:
        channel.close()
        raise
    return channel


def split_authority(authority: str, port: int = 80) -> tuple[str, int]:
    """Host and port of `host:port`, `[::1]:port` or `host`; raises ValueError."""
    host, colon, digits = authority.rpartition(":")
    if not colon or digits.endswith("]"):
        return authority.strip("[]"), port
    return host.strip("[]"), int(digits)


def _asked_encrypted(url: str, headers: Mapping[str, str]) -> bytes | None:
    import http.client
    import ssl

    from caxton_cli.connecting import connection_to

    try:
        connection, prefix = connection_to(url.rstrip("/"), TIMEOUT)
    except (OSError, ValueError):
        return None
    try:
        connection.request("GET", f"{prefix}/health", headers=dict(headers))
        return connection.getresponse().read(_MOST)
    except ssl.SSLCertVerificationError as error:
        raise NotTrusted(error.verify_message) from error
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _condition_in(body: bytes) -> tuple[str, list[str]] | None:
    """What a body says, if it is one of ours: a condition, or the code of a refusal."""
    import json

    try:
        document = json.loads(body)
    except ValueError:
        return None
    match document:
        case {"status": str(condition), **more} if condition in CONDITIONS:
            reasons = more.get("reasons")
            return condition, [*map(str, reasons)] if isinstance(reasons, list) else []
        case {"code": str(code), "detail": str(detail), "request_id": str()} if code[:2] == "CX":
            return "", [detail]
        case _:
            return None


def _identity(owner: Mapping[str, object]) -> dict[str, object]:
    return {name: owner.get(name) for name in ("pid", "version", "started")}


def _who(owner: Mapping[str, object]) -> str:
    if not owner:
        return ""
    pid, version, started = _identity(owner).values()
    return f" (pid {pid}, version {version}, since {started})"


def _mood(condition: str) -> str:
    match condition:
        case "pass":
            return ""
        case "degraded":
            return "; it serves, but not all is well:"
        case "":
            return "; it does not say how it does:"
        case _:
            return f"; it is not ready ({condition})"


def _print_json(document: dict[str, object]) -> None:
    import json

    json.dump(document, sys.stdout)
    sys.stdout.write(os.linesep)
