"""Clients in a process of their own that ask without end: `python -m tests.proofs.flood`.

It reads a Plan as JSON from stdin and prints what it saw. Whoever is refused waits as long as it is
told to, but no longer than about a second; not all exactly as long, or they would all come at once.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from time import perf_counter
from typing import final

import anyio
from anyio.to_thread import run_sync
from msgspec import Struct, field
from msgspec.json import decode, encode

from tests.benchmarks.histogram import Histogram
from tests.benchmarks.loops import run
from tests.proofs.connection import Client, Gone, Reply
from tests.proofs.installation import ROOT

PATIENCE = 1.0


@final
class Plan(Struct):
    """Who is asked, by how many, for how long."""

    port: int
    agents: list[str]
    clients: int
    seconds: float
    pace: float = 0.0
    """Seconds from one message of a client to its next."""
    conversations: int = 0
    """So many for all clients together; 0 is a new one for each message."""
    messages: int = 0
    """Ends after so many answers; 0 is no limit."""


@final
class Seen(Struct):
    """What the clients saw."""

    statuses: dict[str, int] = field(default_factory=dict)
    """By status and code."""
    answered: list[tuple[int, int]] = field(default_factory=list)
    """Latencies of the answers, as the buckets of a histogram."""
    refused: list[tuple[int, int]] = field(default_factory=list)
    homeless: int = 0
    """Refusals that did not say when to come back."""
    gone: int = 0
    """Connections that ended before an answer."""
    mixed_up: int = 0
    """Answers to another question."""

    @property
    def answers(self) -> Histogram:
        """Latencies of the answers."""
        return Histogram(self.answered)


@final
class _Crowd:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.until = perf_counter() + plan.seconds
        self.statuses: Counter[str] = Counter()
        self.answered, self.refused = Histogram(), Histogram()
        self.seen = Seen()
        self.dice = Random(1)

    async def ask(self, number: int) -> None:
        client = Client(self.plan.port)
        serial = 0
        while perf_counter() < self.until and not self._enough():
            serial += 1
            began = perf_counter()
            text = f"question {serial} of {number}"
            try:
                wait = self._note(text, await self._send(client, number, serial, text), began)
            except Gone:
                self.seen.gone += 1
                wait = 0.05
            await anyio.sleep(max(wait, self.plan.pace - (perf_counter() - began)))
        client.close()

    def _enough(self) -> bool:
        return 0 < self.plan.messages <= self.answered.count

    async def _send(self, client: Client, number: int, serial: int, text: str) -> Reply:
        plan = self.plan
        said = {"text": text}
        at = number + serial * plan.clients
        if plan.conversations:
            at %= plan.conversations
            said["conversation_id"] = f"c{at}"
        agent = plan.agents[at % len(plan.agents)]
        return await client.ask("POST", f"/agents/{agent}/message", json.dumps(said).encode())

    def _note(self, text: str, reply: Reply, began: float) -> float:
        """Count the reply; how long to wait before the next message."""
        taken = int((perf_counter() - began) * 1e9)
        if reply.status == 200:
            self.statuses["200"] += 1
            self.answered.add(taken)
            self.seen.mixed_up += reply.json()["text"] != text
            return 0.0
        self.statuses[f"{reply.status} {reply.code}"] += 1
        self.refused.add(taken)
        after = reply.headers.get("retry-after", "")
        self.seen.homeless += not after.isdigit()
        jitter = self.dice.uniform(0.5, 1.5)
        return jitter * (min(float(after), PATIENCE) if after.isdigit() else 0.05)


async def carry_out(plan: Plan) -> Seen:
    """Ask as planned."""
    crowd = _Crowd(plan)
    async with anyio.create_task_group() as group:
        for number in range(plan.clients):
            group.start_soon(crowd.ask, number)
    seen = crowd.seen
    seen.statuses = dict(crowd.statuses)
    seen.answered, seen.refused = crowd.answered.buckets, crowd.refused.buckets
    return seen


@contextmanager
def started(plan: Plan) -> Iterator["subprocess.Popen[bytes]"]:
    """The clients while they work."""
    command = [sys.executable, "-m", "tests.proofs.flood"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as process:
        try:
            assert process.stdin is not None
            process.stdin.write(encode(plan))
            process.stdin.close()
            yield process
        finally:
            if process.poll() is None:
                process.kill()


async def seen_by(process: "subprocess.Popen[bytes]") -> Seen:
    """What started clients saw, once they have finished."""
    assert process.stdout is not None
    return decode(await run_sync(process.stdout.read), type=Seen)


def main() -> None:
    """Read a plan, carry it out, print what was seen."""
    plan = decode(sys.stdin.buffer.read(), type=Plan)
    sys.stdout.buffer.write(encode(run(carry_out(plan))))


if __name__ == "__main__":
    main()
