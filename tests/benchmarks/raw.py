"""The least that a call can cost: the same bytes over a blocking socket, nothing parsed."""

import json
import socket
from collections.abc import Callable
from statistics import median
from time import perf_counter
from urllib.parse import urlsplit


def raw_exchange(base_url: str, system: str, text: str, calls: int) -> Callable[[], float]:
    """Median seconds of a call, when called."""
    messages = [{"role": "system", "content": system}, {"role": "user", "content": text}]
    body = json.dumps({"model": "echo", "messages": messages, "temperature": 0.2}).encode()
    split = urlsplit(base_url)
    request = (
        f"POST {split.path}/chat/completions HTTP/1.1\r\nhost: {split.netloc}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    ).encode() + body

    def exchange() -> float:
        taken = []
        with socket.create_connection((split.hostname or "", split.port or 80)) as connection:
            for _ in range(calls):
                before = perf_counter()
                connection.sendall(request)
                connection.recv(65536)
                taken.append(perf_counter() - before)
        return median(taken)

    return exchange
