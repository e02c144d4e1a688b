"""What comes from a server as text is cut to lines, made visible, and cut to size."""

import base64
import json
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp_types import CallToolResult, ImageContent, TextContent

from caxton_adapters.mcp.content import cut, text_of
from caxton_adapters.mcp.frames import Frames, FrameTooLong
from caxton_adapters.mcp.stdio import message_of
from caxton_adapters.mcp.visible import one_line, visible

JSON_LINES = st.dictionaries(
    st.sampled_from(["jsonrpc", "id", "method", "params", "result", "error"]),
    st.none() | st.text(st.characters()) | st.just("2.0") | st.integers() | st.just({}),
).map(lambda members: json.dumps(members).encode())
ANY_TEXT = st.text(st.characters())


@given(st.lists(st.binary(max_size=20)), st.integers(1, 7))
def test_lines_are_the_same_however_the_bytes_arrive(lines: list[bytes], size: int) -> None:
    lines = [line.replace(b"\n", b"") for line in lines]
    stream = b"".join(line + b"\n" for line in lines)
    frames = Frames(20)
    chunks = (stream[at : at + size] for at in range(0, len(stream), size))
    assert [line for chunk in chunks for line in frames.feed(chunk)] == lines


@given(st.integers(1, 50), st.integers(1, 50))
def test_a_line_that_is_too_long_is_noticed_before_it_ends(longest: int, size: int) -> None:
    frames = Frames(longest)
    assert frames.feed(b"x" * longest) == []
    with pytest.raises(FrameTooLong):
        frames.feed(b"y" * size)


@given(ANY_TEXT)
def test_visible_text_can_be_written_and_commands_no_terminal(text: str) -> None:
    shown = visible(text)
    shown.encode()
    assert "\x1b" not in shown
    assert all(category(each) not in {"Cc", "Cs"} or each in "\t\n" for each in shown)
    assert visible(shown) == shown


@given(ANY_TEXT, st.integers(2, 50))
def test_one_line_is_one_line_of_a_length(text: str, longest: int) -> None:
    line = one_line(text, longest)
    assert len(line) <= longest
    assert len(line.splitlines()) <= 1


@given(st.text(max_size=200), st.integers(1, 300))
def test_a_cut_text_is_a_beginning_with_a_notice(text: str, longest: int) -> None:
    shown = cut(text, longest)
    if len(text.encode()) <= longest:
        assert shown == text
    else:
        kept, _, notice = shown.rpartition("\n")
        assert text.startswith(kept)
        assert len(kept.encode()) <= longest
        assert notice.startswith("[cut here")


def test_structured_content_stands_in_for_missing_text() -> None:
    result = CallToolResult(content=[], structured_content={"sum": 3, "word": "größer"})
    assert text_of(result, 1000) == '{"sum": 3, "word": "größer"}'
    both = CallToolResult(content=[TextContent(text="three")], structured_content={"sum": 3})
    assert text_of(both, 1000) == "three"


@given(st.binary(max_size=100))
def test_a_placeholder_tells_the_size_of_what_it_stands_for(content: bytes) -> None:
    data = base64.b64encode(content).decode()
    image = ImageContent(data=data, mime_type="image/png")
    shown = text_of(CallToolResult(content=[image]), 1000)
    assert shown == f"[image: image/png, {len(content)} bytes]"


def test_a_million_blocks_are_not_all_looked_at() -> None:
    blocks = [TextContent(text="x" * 10)] * 100_000
    assert text_of(CallToolResult(content=[*blocks]), 100).startswith("xxxxxxxxxx\n" * 9)


@given(st.binary(max_size=200) | JSON_LINES)
def test_whatever_a_line_says_it_is_a_message_or_none(line: bytes) -> None:
    message = message_of(line)
    assert message is None or message.jsonrpc == "2.0"
