from hypothesis import given
from hypothesis import strategies as st

from caxton_cli.events import ServerSentEvent, read_events


def lines(text: str) -> list[bytes]:
    return text.encode().splitlines(keepends=True)


def test_events_are_read_with_their_names() -> None:
    text = 'event: delta\ndata: {"text": "a"}\n\n: keep-alive\n\nid: 7\ndata: x\ndata: y\r\n\r\n'
    assert list(read_events(lines(text))) == [
        ServerSentEvent("delta", '{"text": "a"}'),
        ServerSentEvent("message", "x\ny"),
    ]


def test_an_event_that_is_cut_off_is_not_an_event() -> None:
    assert list(read_events(lines("event: delta\ndata: half"))) == []


@given(st.lists(st.binary(max_size=40)))
def test_reading_never_raises(pieces: list[bytes]) -> None:
    list(read_events(pieces))
