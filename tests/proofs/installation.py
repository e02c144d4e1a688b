"""A server of its own: a data directory that outlives its processes, and a port that it keeps."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import final

import anyio
import psutil
from attrs import asdict, define, field, frozen

from tests.proofs.connection import Client, Gone

ROOT = Path(__file__).parents[2]
READY_SECONDS = 60.0
"""How long a server may take until it is ready, on a machine that does much else."""

AGENT = """\
name = "{name}"
capabilities = ["talk"]
llm_provider = "{provider}"
{top}
system_prompt = "You talk."

[conversation]
max_turns = 100
context_window = 100000
{conversation}

[resources]
isolation = "{isolation}"
mailbox = {mailbox}
{more}

[budget]
{budget}

[permissions]
{permissions}
"""
PROVIDER = """\
[providers.{name}]
kind = "openai-compatible"
base_url = "{url}"
model = "echo"
"""


class NotReadyError(RuntimeError):
    """The server ended with this code, or is not ready yet (None); carries the end of its log."""


@final
@frozen
class AgentFile:
    """What a proof decides about an agent."""

    name: str
    provider: str = "main"
    isolation: str = "task"
    mailbox: int = 1000
    top: str = ""
    """More of what stands above the tables."""
    more: str = ""
    """More of its resources."""
    conversation: str = ""
    budget: str = ""
    permissions: str = ""

    @property
    def text(self) -> str:
        """The agent file."""
        return AGENT.format(**asdict(self))


@final
@define
class Installation:
    """Where a server works, and its process while there is one."""

    directory: Path
    port: int
    launcher: Sequence[str] = ("-m", "caxton_cli")
    environment: Mapping[str, str] = field(factory=dict)
    data: Path = field(init=False)
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self.data = self.directory / "data"

    @property
    def log(self) -> str:
        """What the server wrote, from its last start."""
        path = self.directory / "stderr.log"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""

    @property
    def database(self) -> Path:
        """The one file that holds everything."""
        return self.data / "caxton.db"

    def configure(self, providers: Mapping[str, str]) -> None:
        """Write the settings: providers by name with their base URLs."""
        written = (PROVIDER.format(name=name, url=url) for name, url in providers.items())
        (self.directory / "caxton.toml").write_text("\n".join(written))

    def start(
        self, launcher: Sequence[str] = (), *, before: Sequence[str] = (), **variables: str
    ) -> "subprocess.Popen[bytes]":
        """Begin the server's process; `before` is a program that runs it."""
        assert self.process is None or self.process.poll() is not None, "it runs already"
        flags = ("--port", str(self.port), "--data-dir", str(self.data))
        command = [*before, sys.executable, *(launcher or self.launcher), "server", "start"]
        with (self.directory / "stderr.log").open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--foreground", *flags],
                cwd=self.directory,
                env={**self._surroundings(), **self.environment, **variables},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        return self.process

    async def ready(self, seconds: float = READY_SECONDS) -> float:
        """Wait until the server takes work; for how long. Raises `NotReadyError`."""
        began = time.monotonic()
        client = Client(self.port, limit=5)
        try:
            while time.monotonic() - began < seconds:
                if self.process is None or self.process.poll() is not None:
                    raise NotReadyError(self.ended_with, self.log)
                try:
                    if (await client.ask("GET", "/health/ready")).status == 200:
                        return time.monotonic() - began
                except Gone:
                    pass
                await anyio.sleep(0.005)
        finally:
            client.close()
        raise NotReadyError(None, self.log)

    @property
    def ended_with(self) -> int | None:
        """The exit code of the last process; None while it runs, or where there was none."""
        return None if self.process is None else self.process.poll()

    def signal(self, number: int = signal.SIGKILL) -> None:
        """Send the process a signal, if it is there."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    async def ended(self, seconds: float = 30.0) -> int:
        """Wait for the end of the process; its exit code."""
        assert self.process is not None
        with anyio.fail_after(seconds):
            while (code := self.process.poll()) is None:  # noqa: ASYNC110 - not of this loop
                await anyio.sleep(0.002)
        return code

    async def kill(self) -> None:
        """kill -9."""
        self.signal(signal.SIGKILL)
        await self.ended()

    def leftovers(self) -> list[psutil.Process]:
        """Every process that was started to work in this directory and still runs."""
        own = str(self.data)
        return [
            process
            for process in psutil.process_iter(["cmdline", "status"])
            if own in (process.info["cmdline"] or ())
            and process.info["status"] != psutil.STATUS_ZOMBIE
        ]

    def close(self) -> None:
        """End what is left of the server."""
        self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait(30)
        _, left = psutil.wait_procs(self.leftovers(), timeout=10)
        for process in left:
            process.kill()

    async def begin(
        self,
        providers: Mapping[str, str],
        agents: Sequence[AgentFile],
        launcher: Sequence[str] = (),
    ) -> None:
        """Configure, start, and deploy the agents."""
        self.configure(providers)
        self.start(launcher)
        await self.ready()
        for agent in agents:
            await self.deploy(agent)

    async def deploy(self, agent: AgentFile) -> None:
        """Deploy an agent; raises where it is refused."""
        client = Client(self.port)
        kind = {"content-type": "application/toml"}
        reply = await client.ask("POST", "/agents", agent.text.encode(), kind)
        client.close()
        if reply.status != 201:
            raise RuntimeError(agent.name, reply.status, reply.body)

    def _surroundings(self) -> dict[str, str]:
        left = {"OPENAI_API_KEY", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH"}
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in left and not name.startswith("CAXTON_")
        }
        home = str(self.directory)
        return {**kept, "HOME": home, "CAXTON_HOME": home, "PYTHONPATH": str(ROOT)}


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@contextmanager
def installation(directory: Path | None = None) -> Iterator[Installation]:
    """An installation that leaves neither files nor processes behind."""
    made = directory or Path(tempfile.mkdtemp(prefix="caxton-proof-"))
    here = Installation(made, free_port())
    try:
        yield here
    finally:
        here.close()
        if directory is None:
            shutil.rmtree(made, ignore_errors=True)
