"""What a call of a model takes: the most of it before the call, the truth after it.

A limit of tokens or money needs an end to the answer, so a request without one is given
`LONGEST_ANSWER`. The tokens of a prompt are estimated: services count exactly only afterwards.
"""

from collections.abc import Iterable
from typing import Final

from attrs import evolve
from returns.result import Failure, Result

from caxton_core.conversation.model import (
    AnswerCut,
    AnswerEmpty,
    AnswerMalformed,
    Completion,
    ModelFailure,
    ModelRequest,
    Phase,
    Sampling,
    TimedOut,
)
from caxton_core.conversation.window import BYTES_PER_TOKEN, estimated_tokens
from caxton_core.limits import Reservation, Spending, Usage
from caxton_core.primitives import TokenCount
from caxton_core.tools.tool import Tool

LONGEST_ANSWER: Final = TokenCount(4_096)


def bounded(request: ModelRequest) -> ModelRequest:
    """The request with an end to its answer."""
    given = request.sampling
    if given.max_tokens is not None:
        return request
    sampling = Sampling(
        given.temperature,
        LONGEST_ANSWER,
        given.top_p,
        given.frequency_penalty,
        given.presence_penalty,
        given.seed,
        given.stop,
    )
    return ModelRequest(
        request.messages,
        request.model,
        request.tools,
        sampling,
        request.response_format,
        request.timeout,
    )


def capped(sampling: Sampling, tokens: int) -> Sampling:
    """The sampling with an answer of at most so many tokens."""
    if sampling.max_tokens is not None and sampling.max_tokens.value <= tokens:
        return sampling
    return evolve(sampling, max_tokens=TokenCount(tokens))


def prompt_tokens(request: ModelRequest) -> int:
    """About how many tokens a request's messages and tools take."""
    estimate = 0
    for message in request.messages:
        estimate += estimated_tokens(message)
    if request.tools:
        estimate += tool_tokens(request.tools)
    return estimate


def most_prompt_tokens(request: ModelRequest) -> int:
    """The most tokens that the prompt can take: every byte may be one of its own."""
    return prompt_tokens(request) * BYTES_PER_TOKEN


def answer_tokens(request: ModelRequest) -> int:
    """The most tokens that the answer to a bounded request can take."""
    return (request.sampling.max_tokens or LONGEST_ANSWER).value


def tool_tokens(tools: Iterable[Tool]) -> int:
    """About how many tokens the descriptions of tools take."""
    size = sum(
        len(tool.description) + len(tool.parameters.value) + len(tool.name.value) for tool in tools
    )
    return size // BYTES_PER_TOKEN


def spent(answer: Result[Completion, ModelFailure], reservation: Reservation) -> Spending:
    """What a call took that ended so."""
    if isinstance(answer, Failure):
        return spent_in_vain(answer.failure(), reservation)
    return spent_by(answer.unwrap().usage, reservation)


def spent_by(usage: Usage, reservation: Reservation) -> Spending:
    """What an answered call took; everything that was reserved where the service does not say."""
    room = reservation.room
    if not usage.tokens:
        return room
    return Spending(1, usage.tokens, room.money if usage.cost is None else usage.cost.value)


def spent_in_vain(failure: ModelFailure, reservation: Reservation) -> Spending:
    """What a failed call took: all that was reserved if the service may have begun its work."""
    if isinstance(failure, TimedOut):
        began = failure.phase is not Phase.CONNECT
    else:
        began = isinstance(failure, AnswerCut | AnswerMalformed | AnswerEmpty)
    return reservation.room if began else Spending(requests=1)
