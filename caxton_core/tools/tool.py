"""A tool as a model sees it: what it is called, what it takes, what came of a call."""

from enum import Enum
from typing import TypeAlias, final

from attrs import frozen

from caxton_core.primitives import AgentId, ConversationId, JsonObject, MessageId, ToolName


@final
@frozen
class Tool:
    """A tool that a model may call; `parameters` is a JSON Schema.

    An idempotent tool may be called again when nobody knows whether a call of it was made.
    """

    name: ToolName
    description: str
    parameters: JsonObject
    idempotent: bool = False


@final
@frozen
class ToolCall:
    """One call that a model asks for; `id` is the model's own and pairs call and result."""

    id: str
    name: ToolName
    arguments: JsonObject


@final
@frozen
class BrokenToolCall:
    """A call that cannot be made: its name is no tool's or its arguments are no JSON object."""

    id: str
    name: str
    arguments: str
    why: str


RequestedCall: TypeAlias = ToolCall | BrokenToolCall


@final
@frozen
class ToolSucceeded:
    """What a tool answered, as text for the model."""

    call_id: str
    text: str


@final
class Blame(Enum):
    """What a failure lies in, as far as it is known."""

    TOOL = "tool"
    ARGUMENTS = "arguments"


@final
@frozen
class ToolFailed:
    """Why a tool gave no answer, as text that the model can react to."""

    call_id: str
    why: str
    blame: Blame = Blame.TOOL


ToolResult: TypeAlias = ToolSucceeded | ToolFailed


@final
@frozen
class Caller:
    """On whose behalf a tool is called: the agent, and the message that it answers.

    `key` is the same whenever this call is made again, and never the same for another call.
    """

    agent: AgentId
    conversation: ConversationId
    message: MessageId
    key: str
