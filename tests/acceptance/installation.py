"""A server as its operator has it: started, asked and stopped through the installed command."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final, final
from urllib.parse import urlsplit

from attrs import frozen

from caxton_cli.client import Answer, Caller
from caxton_cli.events import ServerSentEvent, read_events
from tests.cli.command import Ended, Shell

SILENCE: Final = 1.0
"""Seconds after which no more of what happened is expected."""
ASKED: Final = {"text": "Hello"}


@final
@frozen
class Installation:
    """A running server, the shell of its operator, and its API."""

    shell: Shell
    url: str
    pid: int

    def run(self, *arguments: str, **variables: str) -> Ended:
        return self.shell.run(*arguments, **variables)

    def write(self, name: str, text: str) -> Path:
        return self.shell.write(name, text)

    def deploy(self, text: str) -> None:
        self.write("agent.toml", text)
        deployed = self.run("deploy", "agent.toml")
        assert deployed.code == 0, deployed.err

    def asked(self, method: str, path: str, body: object = None, *, prefer: str = "") -> Answer:
        return Caller(self.url, None).ask(method, path, body, prefer=prefer)

    @contextmanager
    def events(self, agent: str, text: str) -> Iterator[Iterator[ServerSentEvent]]:
        path, body = f"/agents/{agent}/message", {"text": text}
        with Caller(self.url, None).stream("POST", path, body) as events:
            yield events

    def history(self) -> list[str]:
        """Every event that the server still knows of."""
        parts = urlsplit(self.url)
        connection = HTTPConnection(str(parts.hostname), parts.port, timeout=SILENCE)
        try:
            connection.request("GET", "/events", headers={"last-event-id": "0"})
            response, told = connection.getresponse(), list[str]()
            with suppress(TimeoutError):
                for event in read_events(response):
                    told.append(event.text)
            return told
        finally:
            connection.close()


@contextmanager
def installed(directory: Path, settings: str, **variables: str) -> Iterator[Installation]:
    """A server with these settings, in an environment of these variables only."""
    shell = Shell(directory, variables)
    shell.write("caxton.toml", settings)
    started = shell.run("server", "start", "--port", "0", "--json")
    assert started.code == 0, started.err
    ready = json.loads(started.out)
    try:
        yield Installation(shell, ready["url"], ready["pid"])
    finally:
        stopped = shell.run("server", "stop", "--force")
    assert stopped.code in (0, 3), stopped.err


def said(server: Installation, agent: str, text: str, *more: str) -> Mapping[str, Any]:
    """What an agent answers to one message."""
    sent = server.run("send", agent, text, "--json", *more)
    assert sent.code == 0, sent.err
    answer: Mapping[str, Any] = json.loads(sent.out)
    return answer
