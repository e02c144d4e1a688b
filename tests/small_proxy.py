"""An HTTP proxy that only tunnels, and remembers who asked for what."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import final

from anyio import create_task_group


@final
class SmallProxy:
    def __init__(self, refuse: str | None) -> None:
        self.refuse = refuse
        self.authority = ""
        self.heads: list[str] = []
        self._serving: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def aclose(self) -> None:
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*self._serving)
        for writer in self._writers:
            with suppress(OSError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.heads.append(head)
            if self.refuse is not None:
                writer.write(f"HTTP/1.1 {self.refuse}\r\ncontent-length: 0\r\n\r\n".encode())
            else:
                host, _, port = head.split()[1].rpartition(":")
                far_reader, far_writer = await asyncio.open_connection(host, int(port))
                self._writers.append(far_writer)
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                async with create_task_group() as both:
                    both.start_soon(_pump, reader, far_writer)
                    both.start_soon(_pump, far_reader, writer)
        writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while received := await reader.read(65536):
            writer.write(received)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def small_proxy(refuse: str | None = None) -> AsyncIterator[SmallProxy]:
    """A proxy that tunnels to anywhere, or refuses with a status line."""
    proxy = SmallProxy(refuse)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    proxy.authority = f"{host}:{port}"
    try:
        yield proxy
    finally:
        server.close()
        await proxy.aclose()
        await server.wait_closed()
