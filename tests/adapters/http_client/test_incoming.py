"""A response is the same however the network cuts it into pieces."""

from hypothesis import given
from hypothesis import strategies as st

from caxton_adapters.http_client.failures import ConnectionLost, ResponseTooLarge
from caxton_adapters.http_client.incoming import Incoming
from caxton_adapters.http_client.limits import Limits
from tests.raw_server import chunked, response

PIECES = st.lists(st.binary(min_size=1, max_size=50), max_size=8)


@st.composite
def responses(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A response and its body."""
    pieces = draw(PIECES)
    body = b"".join(pieces)
    framed = draw(st.sampled_from([chunked(*pieces), response(body)]))
    interim = draw(st.sampled_from([b"", b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"]))
    return interim + framed, body


@given(responses(), st.data())
def test_where_a_response_is_cut_makes_no_difference(
    sent: tuple[bytes, bytes], data: st.DataObject
) -> None:
    content, body = sent
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=6)))
    incoming = Incoming(Limits())
    incoming.expect()
    for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True):
        if start < end:
            assert not incoming.done
            incoming.feed(memoryview(content)[start:end])
    assert (incoming.done, incoming.reusable, incoming.failure) == (True, True, None)
    assert (incoming.status, incoming.take()) == (200, body)
    assert {name for name, _ in incoming.headers} >= {b"content-type"}


@given(responses(), st.data())
def test_a_response_that_is_cut_anywhere_is_lost(
    sent: tuple[bytes, bytes], data: st.DataObject
) -> None:
    content, _ = sent
    end = data.draw(st.integers(0, len(content) - 1))
    incoming = Incoming(Limits())
    incoming.expect()
    if end:
        incoming.feed(memoryview(content)[:end])
    incoming.end("gone")
    assert incoming.failure == ConnectionLost(end, "gone")


@given(st.binary(min_size=1, max_size=300))
def test_no_bytes_break_the_parser(sent: bytes) -> None:
    incoming = Incoming(Limits())
    incoming.expect()
    incoming.feed(memoryview(sent))
    incoming.end("gone")
    assert incoming.done or incoming.failure is not None
    assert not incoming.reusable


def test_what_stands_between_two_pieces_of_a_body_does_not_grow_without_end() -> None:
    incoming = Incoming(Limits(framing=2048))
    incoming.expect()
    incoming.feed(memoryview(chunked(b"x", end=b"1;")))
    incoming.feed(memoryview(b"e" * 3000))
    assert incoming.failure == ResponseTooLarge("headers", 2048)
