"""Which part of a conversation fits into the model's context: the newest whole exchanges."""

from collections.abc import Iterator, Sequence
from itertools import islice

from caxton_core.conversation.message import (
    AssistantMessage,
    Message,
    PromptMessage,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from caxton_core.primitives import TokenCount
from caxton_core.tools.tool import BrokenToolCall, RequestedCall, ToolCall, ToolSucceeded

BYTES_PER_TOKEN = 4
TOKENS_AROUND_A_MESSAGE = 4


def estimated_tokens(message: PromptMessage) -> int:
    """How many tokens a message takes, from its length: services count exactly only afterwards."""
    return TOKENS_AROUND_A_MESSAGE + -(-text_bytes(message) // BYTES_PER_TOKEN)


def text_tokens(text: str) -> int:
    """How many tokens a text adds to a message, at most."""
    return -(-_size(text) // BYTES_PER_TOKEN)


def cut(text: str, tokens: int) -> str:
    """The text, without its end where it would take more tokens."""
    if text_tokens(text) <= tokens:
        return text
    return text.encode("utf-8", "replace")[: tokens * BYTES_PER_TOKEN].decode("utf-8", "ignore")


def text_bytes(message: PromptMessage) -> int:
    """How much text a message carries, in UTF-8 bytes."""
    match message:
        case SystemMessage(text) | UserMessage(text):
            return _size(text)
        case AssistantMessage(text, calls):
            return _size(text) + sum(map(_call_length, calls))
        case ToolMessage(result):
            return _size(result.text if isinstance(result, ToolSucceeded) else result.why)


def _call_length(call: RequestedCall) -> int:
    match call:
        case ToolCall(_, name, arguments):
            return _size(name.value) + _size(arguments.value)
        case BrokenToolCall(_, name, arguments, _):
            return _size(name) + _size(arguments)


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def exchanges(history: Sequence[Message]) -> Iterator[tuple[Message, ...]]:
    """The history from its newest exchange to its oldest; each begins with a user's message.

    What stands before the first user's message belongs to no exchange and is left out.
    """
    end = len(history)
    for start in range(end - 1, -1, -1):
        if isinstance(history[start], UserMessage):
            yield tuple(history[start:end])
            end = start


def newest_that_fit(
    history: Sequence[Message], *, tokens: int, at_most: int
) -> tuple[Message, ...]:
    """The newest whole exchanges, `at_most` so many, that together take no more than `tokens`.

    An exchange is kept whole or dropped whole, so no tool call is ever sent without its result.
    """
    kept: list[tuple[Message, ...]] = []
    left = tokens
    for exchange in islice(exchanges(history), at_most):
        left -= sum(map(estimated_tokens, exchange))
        if left < 0:
            break
        kept.append(exchange)
    return tuple(message for exchange in reversed(kept) for message in exchange)


def without_oldest(history: tuple[Message, ...], count: int) -> tuple[Message, ...]:
    """The history without so many of its oldest exchanges."""
    begins = (at for at, message in enumerate(history) if isinstance(message, UserMessage))
    start = next(islice(begins, count, None), len(history))
    return history[start:]


def tokens_left(window: TokenCount, *always: PromptMessage) -> int:
    """What the window leaves for history beside the messages that always stand in it."""
    return window.value - sum(map(estimated_tokens, always))
