"""HTTP to the server: one connection for each call, the standard library only."""

import http.client
import json
import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import inf
from pathlib import Path
from socket import socket
from time import monotonic
from typing import NamedTuple, TypeVar, final
from urllib.parse import quote

import click

from caxton_cli import exits, places
from caxton_cli.connecting import connection_to
from caxton_cli.events import ServerSentEvent, read_events
from caxton_cli.leaving import Leave, not_running

TIMEOUT = 30.0
PATIENCE = 300.0
_JSON = ("application/json", "application/problem+json")
_REFUSALS = {401, 403}
_INVALID = {400, 413, 415, 422}
_WAYS_OUT = {
    "CX3007": "give it with --token or CAXTON_API_TOKEN",
    "CX4035": "name one of them: --agent NAME or --shared",
    "CX5018": "the ways to a provider: caxton providers",
}

Command = TypeVar("Command", bound=Callable[..., object])


class Answer(NamedTuple):
    """What the server said to one request."""

    status: int
    headers: Mapping[str, str]
    document: dict[str, object]


@final
class Caller:
    """Calls one server in the name of whoever holds the token."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url.rstrip("/")
        self._token = token

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        timeout: float = TIMEOUT,
        **headers: str,
    ) -> Answer:
        """Ask, and leave the command with the server's reason if it refuses."""
        answer = self.ask(method, path, body, timeout=timeout, **headers)
        if answer.status >= http.client.BAD_REQUEST:
            raise refusal(answer)
        return answer

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        timeout: float = TIMEOUT,
        **headers: str,
    ) -> Answer:
        """Ask, whatever the answer; leave the command where nobody answers."""
        with self._answering(method, path, body, timeout, headers) as (response, _):
            return self._read(response)

    @contextmanager
    def stream(
        self,
        method: str,
        path: str,
        body: object,
        *,
        timeout: float = PATIENCE,
        in_all: float = inf,
        **headers: str,
    ) -> Iterator[Iterator[ServerSentEvent]]:
        """The events of an answer while they come; leaving the block hangs up.

        `timeout` is the longest silence between two pieces, in seconds, and `in_all` the longest
        wait for all of them.
        """
        until, timeout = monotonic() + in_all, min(timeout, in_all)
        headers["accept"] = "text/event-stream"
        with self._answering(method, path, body, timeout, headers) as (response, sock):
            if response.status >= http.client.BAD_REQUEST:
                raise refusal(self._read(response))
            if _kind(response) != "text/event-stream":
                raise self._not_caxton(response.status)
            yield read_events(_in_time(response, sock, until))

    @contextmanager
    def lines(
        self, method: str, path: str, *, timeout: float = PATIENCE
    ) -> Iterator[Iterator[str]]:
        """The lines of an answer while they come; leaving the block hangs up."""
        with self._answering(method, path, None, timeout, {}) as (response, _):
            if response.status >= http.client.BAD_REQUEST:
                raise refusal(self._read(response))
            if _kind(response) != "application/jsonl":
                raise self._not_caxton(response.status)
            yield (line.decode().rstrip("\n") for line in response)

    def _read(self, response: http.client.HTTPResponse) -> Answer:
        """The answer; leaves where something else than Caxton gave it, a proxy perhaps."""
        headers = {name.lower(): value for name, value in response.getheaders()}
        text = response.read()
        if text and _kind(response) not in _JSON:
            raise self._not_caxton(response.status)
        try:
            document = json.loads(text or b"{}")
        except ValueError as error:
            raise self._not_caxton(response.status) from error
        named = document if isinstance(document, dict) else {"items": document}
        return Answer(response.status, headers, named)

    def _not_caxton(self, status: int) -> Leave:
        return Leave(
            f"what answers at {self.url} is not Caxton (HTTP {status})",
            exit_code=exits.NOT_RUNNING,
            hint="name the server's own address with --url or CAXTON_URL",
        )

    @contextmanager
    def _answering(
        self, method: str, path: str, body: object, timeout: float, headers: Mapping[str, str]
    ) -> Iterator[tuple[http.client.HTTPResponse, socket]]:
        """The answer, and the socket that it comes through."""
        connection, prefix = _connection(self.url, timeout)
        try:
            payload, kind = _encoded(body)
            named = {name.replace("_", "-"): text for name, text in headers.items()}
            connection.request(method, prefix + path, payload, {**kind, **self._auth(), **named})
            sock: socket = connection.sock
            yield connection.getresponse(), sock
        except TimeoutError as error:
            raise Leave(f"the server at {self.url} did not answer in {timeout:g} s") from error
        except ssl.SSLError as error:
            raise _not_trusted(self.url, error) from error
        except (OSError, http.client.HTTPException) as error:
            raise _unanswered(self.url, error) from error
        finally:
            connection.close()

    def _auth(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._token}"} if self._token else {}


def calls_server(command: Command) -> Command:
    """Give a command the options of everything that calls the server."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
        click.option("--token", envvar="CAXTON_API_TOKEN", help="The token of the server."),
        click.option("--url", envvar="CAXTON_URL", help="The address of the server."),
    ):
        command = option(command)
    return command


def connect(url: str | None, token: str | None) -> Caller:
    """The server that the options name, or the one of this machine."""
    return Caller(url or places.way_in(os.environ), token or _token_file())


def segment(name: str) -> str:
    """A name as one segment of a path."""
    return quote(name, safe="")


def refusal(answer: Answer) -> Leave:
    """The server's reason, as the end of a command."""
    return refusal_of({"title": f"HTTP {answer.status}", **answer.document}, answer.status)


def refusal_of(document: Mapping[str, object], status: int | None = None) -> Leave:
    """A problem document of the server, as the end of a command."""
    written = document.get("status")
    meant = status or (written if isinstance(written, int) else http.client.INTERNAL_SERVER_ERROR)
    message = str(document.get("detail") or document.get("title"))
    code = str(document.get("code") or "")
    return Leave(
        "\n".join([message, *_details(document)]),
        exit_code=exit_code_of(meant),
        code=code,
        hint=_WAYS_OUT.get(code) or (f"more about it: caxton explain {code}" if code else ""),
    )


def warnings_of(document: Mapping[str, object]) -> list[Mapping[str, object]]:
    """What the server finds doubtful, though nothing of it is an error."""
    found = document.get("warnings")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def exit_code_of(status: int) -> int:
    """What a refused request means for whoever called the command."""
    if status in _REFUSALS:
        return exits.REFUSED
    return exits.INVALID if status in _INVALID else exits.FAILED


def _details(document: Mapping[str, object]) -> Iterator[str]:
    errors = document.get("errors")
    for error in errors if isinstance(errors, list) else []:
        if isinstance(error, dict):
            yield from _detail(error)


def _detail(error: Mapping[str, object]) -> Iterator[str]:
    """A problem as the core tells it of a file, without the source line, and what helps."""
    file = f"{error['file']}:" if error.get("file") else ""
    place = f"{file}{error.get('line')}:{error.get('column')}: " if error.get("line") else ""
    at = f"{error['at']}: " if error.get("at") and not place else ""
    suggestion, advice = str(error.get("suggestion") or ""), str(error.get("help") or "")
    perhaps = f" ({suggestion})" if suggestion and suggestion not in advice else ""
    yield f"  {place}{error.get('code', '')} {at}{error.get('message', '')}{perhaps}"
    if advice:
        first, *others = advice.splitlines()
        yield f"    = help: {first}"
        yield from (f"            {line}" for line in others)


def _not_trusted(url: str, error: ssl.SSLError) -> Leave:
    """Whoever answers does not prove who it is, or does not speak TLS at all."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Leave(
            f"the certificate of the server at {url} is not accepted: {error.verify_message}",
            exit_code=exits.NOT_RUNNING,
            hint="name the file of its authority with CAXTON_CA_FILE, or with --url the host that "
            "it is for; on its own machine a server can have a UNIX socket, which needs neither",
        )
    return Leave(
        f"what answers at {url} does not speak TLS: {error.reason or error}",
        exit_code=exits.NOT_RUNNING,
        hint="the address of a server without a certificate begins with http://",
    )


def _unanswered(url: str, error: OSError | http.client.HTTPException) -> Leave:
    """Nobody is there, or hangs up: so does a server that expects TLS."""
    if url.startswith("http:") and isinstance(
        error, ConnectionResetError | http.client.BadStatusLine
    ):
        return Leave(
            f"what answers at {url} hangs up",
            exit_code=exits.NOT_RUNNING,
            hint="the address of a server with a certificate begins with https://",
        )
    return not_running(url)


def _connection(url: str, timeout: float) -> tuple[http.client.HTTPConnection, str]:
    try:
        return connection_to(url, timeout)
    except ValueError as error:
        raise click.UsageError(f"not the address of a server: {url}") from error
    except OSError as error:
        file = os.environ.get("CAXTON_CA_FILE")
        raise Leave(
            f"the authorities in {file} (CAXTON_CA_FILE) cannot be read: {error}"
        ) from error


def _encoded(body: object) -> tuple[bytes | None, dict[str, str]]:
    match body:
        case None:
            return None, {}
        case str():
            return body.encode(), {"content-type": "application/toml"}
        case bytes():
            return body, {"content-type": "application/jsonl"}
        case _:
            return json.dumps(body).encode(), {"content-type": "application/json"}


def _in_time(lines: Iterator[bytes], sock: socket, until: float) -> Iterator[bytes]:
    """The lines; nobody waits longer than `until`, whatever signs of life there are."""
    silence = sock.gettimeout() or inf
    while (left := until - monotonic()) > 0:
        sock.settimeout(min(silence, left))
        line = next(lines, b"")
        if not line:
            return
        yield line
    raise TimeoutError


def _kind(response: http.client.HTTPResponse) -> str:
    """The media type, without its parameters."""
    return response.getheader("content-type", "").partition(";")[0].strip().lower()


def _token_file() -> str | None:
    path = os.environ.get("CAXTON_API_TOKEN_FILE")
    if not path:
        return None
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Leave(f"the token file {path} cannot be read: {error}") from error
