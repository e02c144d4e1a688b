"""The model server as a child process, for tests and benchmarks."""

import http.client
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select
from typing import TypeAlias, final
from urllib.parse import quote, urlsplit

from attrs import frozen
from msgspec import Struct
from msgspec.json import decode

_ROOT = Path(__file__).parents[2]
_START_SECONDS = 20.0


@final
class Stats(Struct):
    """What one base URL was asked."""

    calls: int
    struck: int
    cancelled: int
    total_calls: int
    open_connections: int
    last_headers: dict[str, str]
    last_body: str


_Asked: TypeAlias = list[tuple[float, list[tuple[str, str]]]]


@final
@frozen
class Asked:
    """One call: when (monotonic seconds), and role and text of what was said before."""

    at: float
    prompt: list[tuple[str, str]]


@final
@frozen
class ModelServer:
    """A running model server."""

    url: str
    pid: int

    def at(self, options: str = "", **more: object) -> str:
        """The base URL of a behaviour: `at("status=503", tag="mine", text="a/b")`."""
        written = [options] if options else []
        written += [f"{name}={quote(str(value), safe='')}" for name, value in more.items()]
        return f"{self.url.removesuffix('/v1')}/o/{','.join(written)}/v1" if written else self.url

    def stats(self, base_url: str | None = None) -> Stats:
        """The counters of a base URL (of the plain one by default)."""
        return decode(self._get(base_url or self.url, "/stats"), type=Stats)

    def asked(self, base_url: str) -> list[Asked]:
        """Every call of a base URL that is `unique`, in order."""
        return [Asked(*each) for each in decode(self._get(base_url, "/asked"), type=_Asked)]

    @staticmethod
    def _get(base_url: str, path: str) -> bytes:
        split = urlsplit(base_url)
        assert split.hostname is not None
        if split.scheme == "https":
            unverified = ssl._create_unverified_context()
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                split.hostname, split.port, timeout=10, context=unverified
            )
        else:
            connection = http.client.HTTPConnection(split.hostname, split.port, timeout=10)
        connection.request("GET", f"{split.path}{path}")
        body = connection.getresponse().read()
        connection.close()
        return body


@contextmanager
def model_server(certificate: Path | None = None) -> Iterator[ModelServer]:
    """A model server in its own process, ended at exit (and when its parent dies)."""
    command = [sys.executable, "-m", "tests.model_server", "--with-parent"]
    if certificate is not None:
        command += ["--certificate", str(certificate)]
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_ROOT, env=environment
    ) as child:
        try:
            yield ModelServer(_first_line(child), child.pid)
        finally:
            child.terminate()
            child.wait(10)


def _first_line(child: subprocess.Popen[bytes]) -> str:
    assert child.stdout is not None
    readable, _, _ = select([child.stdout], [], [], _START_SECONDS)
    line = child.stdout.readline().decode().strip() if readable else ""
    if not line:
        message = f"the model server did not start (exit code {child.poll()})"
        raise RuntimeError(message)
    return line
