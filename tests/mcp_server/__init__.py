"""A server of tools over standard input and output, real and as ill-behaved as a test wants it.

    registration = small_server("hang=call", timeout="1s")

`server.py` lists what it can be asked for.
"""

import sys
from pathlib import Path

from returns.result import Success

from caxton_adapters.mcp.registration import Registration
from caxton_core.reading.tables import read

SCRIPT = Path(__file__).with_name("server.py")


def small_table(*options: str, **keys: object) -> dict[str, object]:
    """The table that registers such a server."""
    return {"command": sys.executable, "args": ["-I", "-S", str(SCRIPT), *options], **keys}


def small_server(*options: str, **keys: object) -> Registration:
    """The registration of such a server."""
    written = read(Registration, small_table(*options, **keys))
    assert isinstance(written, Success)
    return written.unwrap()
