"""What a tool answered, as text for a model: visible, and no longer than it may be."""

import json
from collections.abc import Iterable, Iterator
from typing import Final

from mcp_types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from caxton_adapters.mcp.visible import one_line, visible

_LONGEST_NAME: Final = 500


def text_of(result: CallToolResult, longest: int) -> str:
    """The text of a result, of at most so many bytes; structured content stands in for none."""
    text = "\n".join(_limited(map(_text, result.content), longest))
    if not text.strip() and result.structured_content is not None:
        text = json.dumps(result.structured_content, ensure_ascii=False)
    return cut(visible(text), longest)


def cut(text: str, longest: int) -> str:
    """The text, or its beginning and a notice that there was more."""
    if len(text) * 4 <= longest:
        return text
    data = text.encode("utf-8", "replace")
    if len(data) <= longest:
        return text
    kept = data[:longest].decode("utf-8", "ignore")
    return f"{kept}\n[cut here: the result has {len(data):,} bytes, {longest:,} are shown]"


def _limited(texts: Iterable[str], longest: int) -> Iterator[str]:
    """As many texts as can be shown, and one more, which shows that something is missing."""
    size = 0
    for text in texts:
        yield text
        size += len(text)
        if size > longest:
            return


def _text(block: ContentBlock) -> str:
    match block:
        case TextContent():
            return block.text
        case ImageContent():
            return _placeholder("image", block.mime_type, block.data)
        case AudioContent():
            return _placeholder("audio", block.mime_type, block.data)
        case ResourceLink():
            title = one_line(block.title or block.name, _LONGEST_NAME)
            return f"[resource {title}: {one_line(str(block.uri), _LONGEST_NAME)}]"
        case EmbeddedResource():
            return _embedded(block)


def _embedded(block: EmbeddedResource) -> str:
    resource = block.resource
    match resource:
        case TextResourceContents():
            return resource.text
        case BlobResourceContents():
            kind = resource.mime_type or "application/octet-stream"
            where = one_line(str(resource.uri), _LONGEST_NAME)
            return f"{_placeholder('file', kind, resource.blob)} {where}"


def _placeholder(kind: str, media_type: str, base64: str) -> str:
    """What stands for content that is no text; the size is that of the content itself."""
    size = len(base64) * 3 // 4 - base64[-2:].count("=")
    return f"[{kind}: {one_line(media_type, 100)}, {size:,} bytes]"
