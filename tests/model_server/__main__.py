"""`python -m tests.model_server --port 0`: prints the base URL, serves until it is ended."""

import argparse
import asyncio
import gc
import signal
import ssl
import sys

from tests.model_server.server import listen
from tests.model_server.site import Site


async def serve(arguments: argparse.Namespace) -> None:
    """Serve until a signal or, for a child, until the parent's end of the pipe is closed."""
    context = None
    if arguments.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(arguments.certificate)
    server = await listen(Site(), arguments.host, arguments.port, context)
    port = server.sockets[0].getsockname()[1]
    print(f"{'https' if context else 'http'}://{arguments.host}:{port}/v1", flush=True)
    gc.freeze()
    gc.set_threshold(50_000)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if arguments.with_parent:
        loop.add_reader(sys.stdin.fileno(), ended.set)
    await ended.wait()
    server.close()


def main() -> None:
    """Read the command line and serve, on uvloop where it is installed."""
    parser = argparse.ArgumentParser(prog="python -m tests.model_server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--certificate", help="PEM file with key and chain: serve HTTPS")
    parser.add_argument("--with-parent", action="store_true", help="end at the end of stdin")
    arguments = parser.parse_args()
    try:
        import uvloop  # noqa: PLC0415 - optional
    except ImportError:
        asyncio.run(serve(arguments))
    else:
        uvloop.run(serve(arguments))


main()
