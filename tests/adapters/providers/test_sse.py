"""Events are the same however the network cuts them, and whatever ends their lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caxton_adapters.providers.openai.sse import LARGEST_EVENT, EventReader, EventTooLarge

LINE = st.binary(max_size=12).map(lambda line: line.replace(b"\r", b"").replace(b"\n", b""))
FIELD = st.sampled_from(
    [b"data: ", b"data:", b": ", b"id: ", b"event: ", b"retry: ", b"x", b"data"]
)
FIELDS = st.builds(bytes.__add__, FIELD, LINE)
BLOCKS = st.lists(st.lists(FIELDS, max_size=3), max_size=5)


def by_the_book(lines: list[bytes]) -> list[bytes]:
    """The data of every event, by the rules of the specification, line by line."""
    events, data = list[bytes](), list[bytes]()
    for line in lines:
        name, _, value = line.partition(b":")
        if not line and data:
            if joined := b"\n".join(data):
                events.append(joined)
            data = []
        elif name == b"data":
            data.append(value.removeprefix(b" "))
    return events


@given(BLOCKS, st.sampled_from([b"\n", b"\r\n", b"\r"]), st.data())
def test_where_the_stream_is_cut_makes_no_difference(
    blocks: list[list[bytes]], end: bytes, data: st.DataObject
) -> None:
    lines = [line for block in blocks for line in (*block, b"")]
    whole = b"".join(line + end for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    reader = EventReader()
    read = [
        event
        for start, stop in zip([0, *cuts], [*cuts, len(whole)], strict=True)
        for event in reader.feed(whole[start:stop])
    ]
    assert read == by_the_book(lines)


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_no_bytes_break_it(pieces: list[bytes]) -> None:
    reader = EventReader()
    for piece in pieces:
        assert all(reader.feed(piece))


def test_an_event_that_is_not_ended_is_not_given() -> None:
    assert EventReader().feed(b"data: a\n\ndata: b\n") == [b"a"]


def test_an_event_does_not_grow_without_end() -> None:
    reader = EventReader()
    reader.feed(b"data: ")
    with pytest.raises(EventTooLarge):
        reader.feed(b"x" * LARGEST_EVENT)
