"""What a language model is asked, what it answers, and every way in which it can fail."""

from enum import Enum
from typing import TypeAlias, final

from attrs import frozen

from caxton_core.agent.sections import Llm
from caxton_core.conversation.message import PromptMessage
from caxton_core.limits import Usage
from caxton_core.primitives import (
    Duration,
    JsonObject,
    ModelName,
    ProviderName,
    TokenCount,
)
from caxton_core.tools.tool import RequestedCall, Tool


@final
@frozen
class Sampling:
    """How the model chooses its words; None leaves the choice to the service."""

    temperature: float | None = None
    max_tokens: TokenCount | None = None
    top_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()


def sampling_of(llm: Llm) -> Sampling:
    """What an author decided about it."""
    return Sampling(
        temperature=llm.temperature.value,
        max_tokens=llm.max_tokens,
        top_p=llm.top_p and llm.top_p.value,
        frequency_penalty=llm.frequency_penalty and llm.frequency_penalty.value,
        presence_penalty=llm.presence_penalty and llm.presence_penalty.value,
        seed=llm.seed and llm.seed.value,
        stop=tuple(stop.value for stop in llm.stop),
    )


@final
@frozen
class JsonSchemaFormat:
    """The answer has to be JSON that fits the schema."""

    name: str
    schema: JsonObject


@final
@frozen
class ModelRequest:
    """One question to a model, complete in itself."""

    messages: tuple[PromptMessage, ...]
    model: ModelName | None = None
    tools: tuple[Tool, ...] = ()
    sampling: Sampling = Sampling()
    response_format: JsonSchemaFormat | None = None
    timeout: Duration = Duration(60.0)


@final
class FinishReason(Enum):
    """Why the model stopped."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"


@final
@frozen
class Completion:
    """A model's whole answer to one request; `model` is the one that answered."""

    text: str
    finish: FinishReason
    usage: Usage
    model: str
    calls: tuple[RequestedCall, ...] = ()


@final
@frozen
class TextDelta:
    """The next piece of a streamed answer."""

    text: str


@final
class ToolSupport(Enum):
    """How a model can call tools."""

    NATIVE = "native"
    EMULATED = "emulated"
    NONE = "none"


@final
class Feature(Enum):
    """What a model can do beside text."""

    STREAMING = "streaming"
    STRUCTURED_OUTPUT = "structured_output"
    VISION = "vision"


@final
@frozen
class ModelCapabilities:
    """What was found out about a model; an unknown context length is None."""

    tools: ToolSupport
    features: frozenset[Feature]
    context_length: TokenCount | None = None


@final
@frozen
class Healthy:
    """The service is reachable and accepts our key; `models` are those that it offers."""

    models: tuple[str, ...] = ()


@final
@frozen
class Unreachable:
    """No connection: refused, no route, or closed before an answer."""

    where: str
    why: str


@final
@frozen
class NameNotResolved:
    """The host name of the service is unknown."""

    host: str


@final
@frozen
class TlsFailed:
    """The service's certificate or the handshake is not acceptable."""

    where: str
    why: str


@final
@frozen
class NotAuthenticated:
    """The service does not accept the key, or none was given."""

    why: str


@final
@frozen
class NotPermitted:
    """The key is known, but not allowed to do this."""

    why: str


@final
@frozen
class ModelNotFound:
    """The service does not offer this model."""

    model: str
    why: str


@final
@frozen
class RateLimited:
    """Too many requests; `retry_after` is in seconds where the service says it."""

    why: str
    retry_after: float | None = None


@final
@frozen
class QuotaExhausted:
    """The account has no credit left; waiting does not help."""

    why: str


@final
@frozen
class ContextTooLong:
    """The messages do not fit into the model's context."""

    why: str


@final
@frozen
class ContentFiltered:
    """The service refused the content."""

    why: str


@final
@frozen
class RequestRefused:
    """The service calls the request wrong."""

    status: int
    why: str


@final
@frozen
class ServiceFault:
    """The service itself failed (5xx)."""

    status: int
    why: str
    retry_after: float | None = None


@final
class Phase(Enum):
    """Which wait of a call ran out."""

    CONNECT = "connect"
    FIRST_BYTE = "first_byte"
    IDLE = "idle"
    TOTAL = "total"


@final
@frozen
class TimedOut:
    """The service was too slow in one phase of the call; `after` is in seconds."""

    phase: Phase
    after: float


@final
@frozen
class AnswerCut:
    """The answer ended in the middle."""

    why: str


@final
@frozen
class AnswerMalformed:
    """The answer is not what the protocol says."""

    why: str


@final
@frozen
class AnswerEmpty:
    """The answer holds no choice."""


@final
@frozen
class KeyMissing:
    """The provider needs a key and none was found; `looked_in` names the places."""

    provider: ProviderName
    looked_in: tuple[str, ...]


@final
@frozen
class ProviderUnknown:
    """No provider of this name is configured, or none at all (`name` is None)."""

    name: ProviderName | None
    known: tuple[ProviderName, ...]


@final
@frozen
class CircuitOpen:
    """Too many calls failed lately; the next try is allowed after `retry_after` seconds."""

    provider: ProviderName
    retry_after: float


@final
@frozen
class LimitReached:
    """Our own limit on the provider (requests, tokens or money) leaves no room."""

    limit: str
    retry_after: float


ModelFailure: TypeAlias = (
    Unreachable
    | NameNotResolved
    | TlsFailed
    | NotAuthenticated
    | NotPermitted
    | ModelNotFound
    | RateLimited
    | QuotaExhausted
    | ContextTooLong
    | ContentFiltered
    | RequestRefused
    | ServiceFault
    | TimedOut
    | AnswerCut
    | AnswerMalformed
    | AnswerEmpty
    | KeyMissing
    | ProviderUnknown
    | CircuitOpen
    | LimitReached
)
