"""A load generator in its own process: keep-alive connections that ask and check the answers.

Each connection sends the next request when its answer has come (or `pace` seconds after it sent
the last one); every text is used once, so an answer that went to the wrong asker is noticed.
`python -m tests.benchmarks.load` reads a Plan as JSON from stdin and prints an Outcome for each
target.
"""

import asyncio
import gc
import sys
from json import loads
from time import perf_counter_ns, process_time
from typing import Any, Literal, cast, final
from urllib.parse import urlsplit

from httptools import HttpParserError, HttpResponseParser
from msgspec import Struct, field
from msgspec.json import decode, encode

from tests.benchmarks.histogram import Histogram
from tests.benchmarks.loops import run

Kind = Literal["message", "stream", "chat", "get"]

_BODIES: dict[Kind, tuple[bytes, bytes]] = {
    "message": (b'{"text":"', b'"}'),
    "stream": (b'{"text":"', b'"}'),
    "chat": (b'{"model":"echo","messages":[{"role":"user","content":"', b'"}]}'),
}
_MARKS: dict[Kind, bytes] = {
    "message": b'"text":"%b"',
    "stream": b'"text":"%b"',
    "chat": b'"content":"%b"',
}
_STREAMED = b"accept: text/event-stream\r\n"


@final
class Plan(Struct):
    """What to ask; connections take the targets in turn."""

    targets: list[str]
    """URLs."""
    kind: Kind = "message"
    connections: int = 1
    seconds: float = 1.0
    warm_up: float = 0.2
    """Seconds at the beginning that are not counted."""
    pace: float = 0.0
    count: int | None = None
    """End after so many requests, warm-up included."""
    kept: bool = False
    """Whether each connection goes on with its first conversation."""
    words: int = 0
    """Words added to each text, so that its echo has so many more pieces."""


@final
class Outcome(Struct):
    """What one target answered after the warm-up."""

    answered: int = 0
    seconds: float = 0.0
    """Between the end of the warm-up and the end."""
    statuses: dict[str, int] = field(default_factory=dict)
    mixed_up: int = 0
    """Answers that belong to another question."""
    lost: int = 0
    """Connections that ended before an answer."""
    example: str = ""
    """The first answer that was not 2xx."""
    latencies: list[tuple[int, int]] = field(default_factory=list)
    client_cpu: float = 0.0
    """Seconds of CPU of the whole load generator."""

    @property
    def histogram(self) -> Histogram:
        """The latencies of all answers."""
        return Histogram(self.latencies)

    @property
    def failed(self) -> int:
        """Requests that had no 2xx answer, or a wrong one."""
        refused = sum(count for status, count in self.statuses.items() if status[0] != "2")
        return refused + self.mixed_up + self.lost


@final
class Target:
    """One URL and what it answered."""

    def __init__(self, url: str) -> None:
        split = urlsplit(url)
        assert split.hostname is not None
        self.host, self.port = split.hostname, split.port or 80
        self.path = split.path.encode()
        self.outcome = Outcome()
        self.histogram = Histogram()
        self.statuses: dict[int, int] = {}


@final
class Run:
    """The clock and the limits that all connections share."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.begin = perf_counter_ns() + int(plan.warm_up * 1e9)
        self.end = self.begin + int(plan.seconds * 1e9)
        self.padding = b" word" * plan.words
        self.sent = 0
        self.over = asyncio.Event()
        self.open = 0

    def may_send(self) -> bool:
        """Count a request, unless it is time to end."""
        if perf_counter_ns() >= self.end or self.sent == self.plan.count:
            return False
        self.sent += 1
        return True


@final
class Asker(asyncio.Protocol):
    """One connection: asks, waits, checks, asks again."""

    def __init__(self, run: Run, target: Target, number: int) -> None:
        self._run, self._target, self._number = run, target, number
        self._parser: HttpResponseParser
        self._transport: asyncio.Transport
        self._sent_at = 0
        self._serial = 0
        self._text = b""
        self._pieces: list[bytes] = []
        self._waiting = False
        self._conversation = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask the first question."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's class is not a subclass
        self._parser = HttpResponseParser(self)
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Connect again, unless everything was asked."""
        if self._waiting:
            self._waiting = False
            self._target.outcome.lost += 1
        if perf_counter_ns() < self._run.end and self._run.sent != self._run.plan.count:
            asyncio.get_running_loop().call_later(0.01, self._reconnect)
        else:
            self._finish()

    def data_received(self, data: bytes) -> None:
        """Parse the answer."""
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            self._transport.close()

    def on_message_begin(self) -> None:
        """An answer begins."""
        self._pieces.clear()

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body."""
        self._pieces.append(body)

    def on_message_complete(self) -> None:
        """Count the answer, and ask again."""
        self._waiting = False
        now = perf_counter_ns()
        if self._sent_at >= self._run.begin:
            self._count(now - self._sent_at)
        pace = self._run.plan.pace
        if pace:
            wait = max(0.0, pace - (now - self._sent_at) / 1e9)
            asyncio.get_running_loop().call_later(wait, self._ask)
        else:
            self._ask()

    def _ask(self) -> None:
        if self._transport.is_closing():
            return
        if not self._run.may_send():
            self._transport.close()
            return
        self._serial += 1
        self._waiting = True
        request = self._request()
        self._sent_at = perf_counter_ns()
        self._transport.write(request)

    def _request(self) -> bytes:
        kind = self._run.plan.kind
        if kind == "get":
            return b"GET %b HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n" % self._target.path
        self._text = b"question %d of %d" % (self._serial, self._number) + self._run.padding
        before, after = _BODIES[kind]
        body = b"%b%b%b" % (before, self._text, self._conversation or after)
        accept = _STREAMED if kind == "stream" else b""
        return (
            b"POST %b HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
            b"%bcontent-length: %d\r\n\r\n%b" % (self._target.path, accept, len(body), body)
        )

    def _count(self, nanoseconds: int) -> None:
        status = self._parser.get_status_code()
        target = self._target
        target.statuses[status] = target.statuses.get(status, 0) + 1
        target.histogram.add(nanoseconds)
        body = b"".join(self._pieces)
        if not 200 <= status < 300:
            target.outcome.example = target.outcome.example or body.decode(errors="replace")
        elif not self._belongs(body):
            target.outcome.mixed_up += 1
        elif self._run.plan.kept and not self._conversation:
            found: dict[str, Any] = loads(body)
            self._conversation = b'","conversation_id":%b}' % encode(found["conversation_id"])

    def _belongs(self, body: bytes) -> bool:
        """Whether the answer is the echo of the question."""
        kind = self._run.plan.kind
        if kind == "get" or _MARKS[kind] % self._text in body:
            return True
        return kind == "message" and loads(body).get("text") == self._text.decode()

    def _reconnect(self) -> None:
        connecting = asyncio.ensure_future(connect(self))
        connecting.add_done_callback(self._connected)

    def _connected(self, connecting: "asyncio.Future[None]") -> None:
        if connecting.exception() is not None:
            self._target.outcome.lost += 1
            self.connection_lost(None)

    def _finish(self) -> None:
        self._run.open -= 1
        if self._run.open == 0:
            self._run.over.set()

    @property
    def address(self) -> tuple[str, int]:
        """Where this one connects to."""
        return self._target.host, self._target.port


async def connect(asker: Asker) -> None:
    """Give the asker a connection."""
    host, port = asker.address
    await asyncio.get_running_loop().create_connection(lambda: asker, host, port)


async def carry_out(plan: Plan) -> list[Outcome]:
    """Ask as planned; one outcome for each target."""
    targets = [Target(url) for url in plan.targets]
    running = Run(plan)
    askers = [
        Asker(running, targets[number % len(targets)], number) for number in range(plan.connections)
    ]
    running.open = len(askers)
    cpu = process_time()
    for asker in askers:
        await connect(asker)
    await asyncio.wait_for(running.over.wait(), plan.warm_up + plan.seconds + 60)
    cpu = process_time() - cpu
    seconds = (min(perf_counter_ns(), running.end) - running.begin) / 1e9
    return [_outcome(target, seconds, cpu) for target in targets]


def _outcome(target: Target, seconds: float, cpu: float) -> Outcome:
    outcome = target.outcome
    outcome.answered = sum(target.statuses.values())
    outcome.statuses = {str(status): count for status, count in target.statuses.items()}
    outcome.latencies = target.histogram.buckets
    outcome.seconds, outcome.client_cpu = seconds, cpu
    return outcome


def main() -> None:
    """Read a plan, carry it out, print the outcomes."""
    plan = decode(sys.stdin.buffer.read(), type=Plan)
    gc.freeze()
    gc.disable()
    sys.stdout.buffer.write(encode(run(carry_out(plan))))


if __name__ == "__main__":
    main()
