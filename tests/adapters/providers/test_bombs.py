"""What a service sends may not unfold: a small answer that would become a large one is refused."""

import zlib
from time import perf_counter

import pytest
from attrs import evolve
from returns.result import Failure, Success

from caxton_adapters.providers.openai.model import openai_model
from caxton_adapters.providers.settings import Transport
from caxton_core.conversation.model import AnswerMalformed
from tests.adapters.providers.asking import HELLO, settings
from tests.raw_server import raw_server, response

MEBIBYTE = 1024 * 1024


def bomb(wbits: int) -> bytes:
    """64 MiB of blanks in a few kilobytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return packer.compress(b" " * 64 * MEBIBYTE) + packer.flush()


@pytest.mark.parametrize("transport", list(Transport))
@pytest.mark.parametrize(
    ("encoding", "wbits"), [("gzip", 31), ("deflate", 15), ("x-gzip", 31), ("GZIP", 31)]
)
@pytest.mark.parametrize("status", ["200 OK", "500 x"])
async def test_a_compressed_answer_is_refused_unread(
    transport: Transport, encoding: str, wbits: int, status: str
) -> None:
    packed = response(bomb(wbits), f"content-encoding: {encoding}", status=status)
    async with raw_server((packed,)) as server:
        model = openai_model(settings(server.url, transport))
        told = await model.complete(HELLO)
        await model.aclose()
    assert told == Failure(AnswerMalformed("the body is compressed, which was not asked for"))
    [asked] = server.requests
    assert asked.headers.get("accept-encoding", "identity") == "identity"


DEEP = {
    "lists": b"[" * 500_000,
    "objects": b'{"a":' * 500_000,
    "ended lists": b"[" * 50_000 + b"]" * 50_000,
    "in a member": b'{"choices": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "in an unknown member": b'{"x": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "in arguments": (
        b'{"choices": [{"message": {"tool_calls": [{"id": "1", "function": {"name": "a", '
        b'"arguments": "' + b"[" * 50_000 + b'"}}]}}]}'
    ),
    "a long number": b'{"choices": [{"index": ' + b"9" * 500_000 + b"}]}",
    "half a character and deep": b'{"x": "\\ud800", "y": ' + b"[" * 900 + b"]" * 900 + b"}",
    "many members": b'{"x": {' + b",".join(b'"%d": 1' % n for n in range(50_000)) + b"}}",
}


@pytest.mark.parametrize("body", DEEP.values(), ids=DEEP)
async def test_an_answer_that_is_deep_or_long_ends_soon(body: bytes) -> None:
    async with raw_server((response(body),)) as server:
        model = openai_model(evolve(settings(server.url, Transport.LEAN), max_body=4 * MEBIBYTE))
        since = perf_counter()
        told = await model.complete(HELLO)
        took = perf_counter() - since
        await model.aclose()
    assert isinstance(told, Failure | Success)
    assert took < 5
