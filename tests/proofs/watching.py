"""A server seen from outside while others use it: its memory, its files, its health."""

import time
from typing import final

import anyio
import psutil
from attrs import define, field, frozen

from tests.benchmarks.histogram import Histogram
from tests.proofs.connection import Client, Gone
from tests.proofs.installation import Installation

MIB = 1024 * 1024


@final
@frozen
class Sample:
    """The server at one moment: bytes, open files, threads."""

    at: float
    rss: int
    files: int
    threads: int


@final
@define
class Watcher:
    """Looks at the server again and again, and asks for its health."""

    here: Installation
    period: float = 0.05
    samples: list[Sample] = field(factory=list)
    health: Histogram = field(factory=Histogram)
    unhealthy: list[str] = field(factory=list)

    async def watch(self) -> None:
        """Look until cancelled."""
        client = Client(self.here.port, limit=10)
        while True:
            began = time.perf_counter()
            try:
                reply = await client.ask("GET", "/health/live")
            except Gone as gone:
                self.unhealthy.append(str(gone))
            else:
                self.health.add(int((time.perf_counter() - began) * 1e9))
                if reply.status != 200:
                    self.unhealthy.append(str(reply.status))
            self.look()
            await anyio.sleep(self.period)

    def look(self) -> Sample:
        """One sample."""
        assert self.here.process is not None
        server = psutil.Process(self.here.process.pid)
        with server.oneshot():
            sample = Sample(
                time.monotonic(),
                server.memory_info().rss,
                server.num_fds(),
                server.num_threads(),
            )
        self.samples.append(sample)
        return sample

    @property
    def highest(self) -> int:
        """The most bytes that it had."""
        return max(sample.rss for sample in self.samples)
