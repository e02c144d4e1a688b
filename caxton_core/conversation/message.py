"""What is said in a conversation, in the order in which it was said."""

from typing import TypeAlias, final

from attrs import frozen

from caxton_core.tools.tool import RequestedCall, ToolResult


@final
@frozen
class SystemMessage:
    """The instructions that stand before everything else."""

    text: str


@final
@frozen
class UserMessage:
    """What the sender of a message wrote."""

    text: str


@final
@frozen
class AssistantMessage:
    """What the model answered: text, calls, or both."""

    text: str
    calls: tuple[RequestedCall, ...] = ()


@final
@frozen
class ToolMessage:
    """The result of one call of the assistant message before it."""

    result: ToolResult


Message: TypeAlias = UserMessage | AssistantMessage | ToolMessage
PromptMessage: TypeAlias = SystemMessage | Message
