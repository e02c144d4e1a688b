"""The product as a user runs it: the installed command, a settings file, agents over REST."""

import http.client
import json
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, sleep
from typing import final

from attrs import frozen

from tests.benchmarks.processes import CAXTON, environment

_START_SECONDS = 30.0
_POLL_SECONDS = 0.002

SETTINGS = """\
[providers.bench]
kind = "openai-compatible"
base_url = "{base_url}"
model = "echo"
"""

AGENT = """\
name = "{name}"
version = "1.2.0"
description = "Greets people by name."
capabilities = ["greeting", "small-talk"]
llm_provider = "bench"
system_prompt = \"\"\"
You greet people warmly and briefly.
\"\"\"

[llm]
temperature = 0.2
timeout = "30s"

[conversation]
max_turns = 20
idle_timeout = "1h"

[resources]
isolation = "{isolation}"
"""


class ServerDied(RuntimeError):
    """The server ended, or did not answer in time; carries what it wrote."""


@final
@frozen
class Server:
    """A running server."""

    url: str
    pid: int
    directory: Path
    seconds_to_health: float

    def ask(self, method: str, path: str, body: str | None = None, kind: str = "") -> bytes:
        """One request on a connection of its own; raises on an error status."""
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=30)
        try:
            headers = {"content-type": kind} if kind else {}
            connection.request(method, path, body.encode() if body else None, headers)
            answer = connection.getresponse()
            read = answer.read()
        finally:
            connection.close()
        if answer.status >= 300:
            message = f"{method} {path}: {answer.status} {read.decode(errors='replace')}"
            raise RuntimeError(message)
        return read

    def deploy(self, name: str, isolation: str = "process") -> None:
        """Deploy an agent from its file and see that it answers nothing but 2xx."""
        text = AGENT.format(name=name, isolation=isolation)
        self.ask("POST", "/agents", text, "application/toml")

    def say(self, name: str, text: str) -> dict[str, object]:
        """Send one message and wait for the answer."""
        body = json.dumps({"text": text})
        answer = self.ask("POST", f"/agents/{name}/message", body, "application/json")
        read: dict[str, object] = json.loads(answer)
        if read["text"] != text:
            raise RuntimeError(answer)
        return read

    def message_url(self, name: str) -> str:
        """Where an agent takes messages."""
        return f"{self.url}/agents/{name}/message"


@contextmanager
def caxton_server(
    model_url: str, program: Sequence[str] = (str(CAXTON),), more: str = ""
) -> Iterator[Server]:
    """A server in a temporary directory, with every feature at its default but for `more`."""
    with tempfile.TemporaryDirectory(prefix="caxton-benchmark-") as name:
        directory = Path(name)
        (directory / "caxton.toml").write_text(SETTINGS.format(base_url=model_url) + more)
        port = free_port()
        with (directory / "stderr.log").open("wb") as log:
            before = perf_counter()
            process = subprocess.Popen(
                _command(program, port, directory),
                cwd=directory,
                env=surroundings(directory),
                stderr=log,
                stdout=subprocess.DEVNULL,
            )
        with process:
            try:
                wait_for_health(port, process, directory)
                taken = perf_counter() - before
                yield Server(f"http://127.0.0.1:{port}", process.pid, directory, taken)
            finally:
                process.terminate()
                _end(process)


def surroundings(directory: Path) -> dict[str, str]:
    """An environment in which only the directory's settings count."""
    home = str(directory)
    return {**environment(), "CAXTON_HOME": home, "CAXTON_DATA_DIR": f"{home}/data"}


def _command(program: Sequence[str], port: int, directory: Path) -> list[str]:
    where = ["--port", str(port), "--data-dir", str(directory / "data")]
    return [*program, "server", "start", "--foreground", *where]


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def wait_for_health(port: int, process: "subprocess.Popen[bytes]", directory: Path) -> None:
    """Ask until /health answers 200."""
    limit = perf_counter() + _START_SECONDS
    while perf_counter() < limit and process.poll() is None:
        if _is_healthy(port):
            return
        sleep(_POLL_SECONDS)
    raise ServerDied((directory / "stderr.log").read_text())


def _is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _end(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
