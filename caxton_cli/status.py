"""`caxton server status`: whether a server answers, told within a few times a bare interpreter."""

import os
import sys
from collections.abc import Mapping

from caxton_cli import exits, places

ANSWERS = (200, 401, 403, 503)
TIMEOUT = 2.0


def print_status(url: str, directory: str, *, as_json: bool) -> int:
    """Print whether the server answers at the URL, and who it is; 0 when it does, 3 when not."""
    answer = probe(url)
    running = answer in ANSWERS
    owner = places.owner(directory)
    mine = owner if owner.get("url") == url else {}
    waiting = not running and bool(mine) and places.is_locked(directory)
    if as_json:
        facts = {"running": running, "url": url, "ready": answer == ANSWERS[0], **_identity(mine)}
        _print_json({**facts, "data_dir": directory})
    elif running:
        print(f"caxton is running at {url}{_who(mine)}{_mood(answer)}")
    elif waiting:
        print(f"caxton holds {directory} but does not answer at {url}{_who(mine)}")
    else:
        print(f"server is not running at {url}; start it: caxton server start")
    return exits.DONE if running else exits.NOT_RUNNING


def lean_status(environ: Mapping[str, str], *, as_json: bool) -> int:
    """The status of the server that the surroundings name."""
    return print_status(places.server_url(environ), places.data_dir(environ), as_json=as_json)


def probe(url: str) -> int | None:
    """The HTTP status of the server's /health; None where nothing speaks HTTP there."""
    scheme, _, rest = url.partition("://")
    authority, _, prefix = rest.partition("/")
    path = f"/{prefix.rstrip('/')}/health" if prefix.strip("/") else "/health"
    if scheme != "http":
        return _probe_encrypted(authority, path)
    import socket

    host, port = split_authority(authority)
    request = f"GET {path} HTTP/1.0\r\nHost: {authority}\r\n\r\n".encode("ascii", "replace")
    try:
        with socket.create_connection((host, port), TIMEOUT) as channel:
            channel.sendall(request)
            return _status_of(channel.recv(64))
    except (OSError, ValueError):
        return None


def split_authority(authority: str, port: int = 80) -> tuple[str, int]:
    """Host and port of `host:port`, `[::1]:port` or `host`; raises ValueError."""
    host, colon, digits = authority.rpartition(":")
    if not colon or digits.endswith("]"):
        return authority.strip("[]"), port
    return host.strip("[]"), int(digits)


def _probe_encrypted(authority: str, path: str) -> int | None:
    import http.client

    connection = http.client.HTTPSConnection(authority, timeout=TIMEOUT)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _status_of(line: bytes) -> int | None:
    version, _, rest = line.partition(b" ")
    return int(rest[:3]) if version.startswith(b"HTTP/1.") and rest[:3].isdigit() else None


def _identity(owner: Mapping[str, object]) -> dict[str, object]:
    return {name: owner.get(name) for name in ("pid", "version", "started")}


def _who(owner: Mapping[str, object]) -> str:
    if not owner:
        return ""
    pid, version, started = _identity(owner).values()
    return f" (pid {pid}, version {version}, since {started})"


def _mood(answer: int | None) -> str:
    return "" if answer == ANSWERS[0] else f"; it is not ready (HTTP {answer})"


def _print_json(document: dict[str, object]) -> None:
    import json

    json.dump(document, sys.stdout)
    sys.stdout.write(os.linesep)
