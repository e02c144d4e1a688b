"""Answers as bytes of the OpenAI wire; all that does not change is encoded once."""

import re
from collections.abc import Iterator

from msgspec.json import Encoder

from tests.model_server.answering import Answer, Called, Said
from tests.model_server.behaviour import Framing

_json = Encoder().encode
_WORDS = re.compile(r"\S*\s*")

_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
    b"x-request-id: model-server\r\ncontent-length: "
)
_HEADS = {
    Framing.CHUNKED: b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
    b"transfer-encoding: chunked\r\n\r\n",
    Framing.CLOSE: b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
    b"connection: close\r\n\r\n",
}
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
)
STREAM_END = b"0\r\n\r\n"
DONE = b"data: [DONE]\n\n"
_REASONS = {
    200: b"OK",
    307: b"Temporary Redirect",
    400: b"Bad Request",
    401: b"Unauthorized",
    403: b"Forbidden",
    404: b"Not Found",
    429: b"Too Many Requests",
    500: b"Internal Server Error",
    503: b"Service Unavailable",
}


def framed(body: bytes, framing: Framing = Framing.LENGTH) -> bytes:
    """A whole 200 answer."""
    if framing is Framing.LENGTH:
        return b"%b%d\r\n\r\n%b" % (_HEAD, len(body), body)
    if framing is Framing.CLOSE:
        return _HEADS[framing] + body
    half = len(body) // 2
    return b"".join((_HEADS[framing], chunk(body[:half]), chunk(body[half:]), STREAM_END))


def refused(status: int, code: str, message: str, headers: bytes = b"") -> bytes:
    """A whole error answer, shaped as the service's own."""
    kind = b"invalid_request_error" if status < 500 else b"server_error"
    body = b'{"error":{"message":%b,"type":"%b","param":null,"code":%b}}' % (
        _json(message),
        kind,
        _json(code or None),
    )
    return b"HTTP/1.1 %d %b\r\ncontent-type: application/json\r\n%bcontent-length: %d\r\n\r\n%b" % (
        status,
        _REASONS.get(status, b"Refused"),
        headers,
        len(body),
        body,
    )


def chunk(body: bytes) -> bytes:
    """One piece of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(body), body)


def plain(said: Answer, *, serial: int, model: str, usage: bytes) -> bytes:
    """The body of an answer that is not streamed."""
    return (
        b'{"id":"chatcmpl-%d","object":"chat.completion","created":1750000000,"model":%b,'
        b'"choices":[{"index":0,"message":%b,"logprobs":null,"finish_reason":"%b"}]%b,'
        b'"system_fingerprint":"fp_model_server"}'
        % (serial, _json(model), _message(said), said.finish.encode(), usage)
    )


def usage_member(prompt: int, said: Answer) -> bytes:
    """The `usage` member with its comma."""
    completion = _completion_tokens(said)
    return b',"usage":{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d}' % (
        prompt,
        completion,
        prompt + completion,
    )


def events(
    said: Answer, *, serial: int, model: str, pieces: int | None, usage: bytes
) -> Iterator[bytes]:
    """The events of a streamed answer without the final `[DONE]`."""
    head = (
        b'data: {"id":"chatcmpl-%d","object":"chat.completion.chunk","created":1750000000,'
        b'"model":%b,"system_fingerprint":"fp_model_server","choices":[' % (serial, _json(model))
    )
    first = b'%b{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n'
    yield first % head
    for delta in _deltas(said, pieces):
        yield b'%b{"index":0,"delta":%b,"finish_reason":null}]}\n\n' % (head, delta)
    yield b'%b{"index":0,"delta":{},"finish_reason":"%b"}]}\n\n' % (head, said.finish.encode())
    if usage:
        yield b"%b]%b}\n\n" % (head, usage)


def _message(said: Answer) -> bytes:
    if isinstance(said, Said):
        return b'{"role":"assistant","content":%b,"refusal":null}' % _json(said.text)
    calls = b",".join(
        b'{"id":"call_%d","type":"function","function":{"name":%b,"arguments":%b}}'
        % (index, _json(name), _json(arguments))
        for index, (name, arguments) in enumerate(said.calls)
    )
    return b'{"role":"assistant","content":null,"tool_calls":[%b]}' % calls


def _completion_tokens(said: Answer) -> int:
    if isinstance(said, Said):
        return 1 + len(said.text) // 4
    return sum(1 + len(arguments) // 4 for _, arguments in said.calls)


def _deltas(said: Answer, pieces: int | None) -> Iterator[bytes]:
    if isinstance(said, Called):
        yield from _call_deltas(said)
        return
    for piece in cut(said.text, pieces):
        yield b'{"content":%b}' % _json(piece)


def _call_deltas(said: Called) -> Iterator[bytes]:
    for index, (name, arguments) in enumerate(said.calls):
        yield (
            b'{"tool_calls":[{"index":%d,"id":"call_%d","type":"function",'
            b'"function":{"name":%b,"arguments":""}}]}' % (index, index, _json(name))
        )
        for piece in cut(arguments, 2):
            yield b'{"tool_calls":[{"index":%d,"function":{"arguments":%b}}]}' % (
                index,
                _json(piece),
            )


def cut(text: str, pieces: int | None) -> list[str]:
    """The text in so many pieces (at most one a character), or one for each word."""
    if pieces is None:
        return [word for word in _WORDS.findall(text) if word]
    count = max(1, min(pieces, len(text)))
    return [text[i * len(text) // count : (i + 1) * len(text) // count] for i in range(count)]
