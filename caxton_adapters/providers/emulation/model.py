"""A model whose tools work, however it supports them."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import final

from attrs import evolve
from returns.result import Failure, Result, Success

from caxton_adapters.providers.emulation.asking import calls_before, without_tools
from caxton_adapters.providers.emulation.reading import AnswerInTheMaking, rescued, understood
from caxton_adapters.providers.pieces import closable
from caxton_core.conversation.model import (
    Healthy,
    ModelCapabilities,
    ModelFailure,
    ModelRequest,
    TextDelta,
    ToolSupport,
)
from caxton_core.ports import Answer, Model
from caxton_core.primitives import ModelName


@final
class WithTools:
    """Asks the model what it can do with tools when there are some, and does the rest.

    A native model is believed, but a call that it wrote as text is taken for what it is. An
    emulated one is asked through a schema. A model that can do neither gets no tools.
    """

    def __init__(self, model: Model) -> None:
        self._model = model

    def complete(self, request: ModelRequest) -> Awaitable[Answer]:
        """The whole answer, or why there is none."""
        return self._called(request) if request.tools else self._model.complete(request)

    def stream(self, request: ModelRequest) -> AsyncIterator[TextDelta | Answer]:
        """The answer piece by piece; calls are not shown."""
        return self._streamed(request) if request.tools else self._model.stream(request)

    def capabilities(
        self, model: ModelName | None = None
    ) -> Awaitable[Result[ModelCapabilities, ModelFailure]]:
        """What the model itself says."""
        return self._model.capabilities(model)

    def health(self) -> Awaitable[Result[Healthy, ModelFailure]]:
        """What the service itself says."""
        return self._model.health()

    async def _called(self, request: ModelRequest) -> Answer:
        support = await self._support(request)
        if isinstance(support, Failure):
            return support
        answer = await self._model.complete(_asked(request, support.unwrap()))
        return _answered(answer, request, support.unwrap())

    async def _streamed(self, request: ModelRequest) -> AsyncGenerator[TextDelta | Answer]:
        support = await self._support(request)
        if isinstance(support, Failure):
            yield support
            return
        means = support.unwrap()
        curtain = _curtain(request, means)
        pieces = closable(self._model.stream(_asked(request, means)))
        async with aclosing(pieces):
            async for piece in pieces:
                if isinstance(piece, TextDelta):
                    if shown := curtain.take(piece.text):
                        yield TextDelta(shown)
                else:
                    answer = _answered(piece, request, means)
                    if rest := curtain.rest(answer):
                        yield TextDelta(rest)
                    yield answer

    async def _support(self, request: ModelRequest) -> Result[ToolSupport, ModelFailure]:
        found = await self._model.capabilities(request.model)
        return Success(found.unwrap().tools) if isinstance(found, Success) else found


def _asked(request: ModelRequest, means: ToolSupport) -> ModelRequest:
    match means:
        case ToolSupport.NATIVE:
            return request
        case ToolSupport.EMULATED:
            return without_tools(request)
        case ToolSupport.NONE:
            return evolve(request, tools=())


def _answered(answer: Answer, request: ModelRequest, means: ToolSupport) -> Answer:
    if isinstance(answer, Failure) or means is ToolSupport.NONE:
        return answer
    before = calls_before(request.messages)
    if means is ToolSupport.EMULATED:
        return Success(understood(answer.unwrap(), request.tools, before))
    if request.response_format is not None:
        return answer
    return Success(rescued(answer.unwrap(), request.tools, before))


@final
class _Curtain:
    """Keeps back what may be a call until it is clear that it is text."""

    def __init__(self, filter_: Callable[[str], str]) -> None:
        self._filter = filter_
        self._shown = 0

    def take(self, piece: str) -> str:
        """What may be shown, now that this piece has arrived."""
        shown = self._filter(piece)
        self._shown += len(shown)
        return shown

    def rest(self, answer: Answer) -> str:
        """What of the whole answer was kept back."""
        return answer.unwrap().text[self._shown :] if isinstance(answer, Success) else ""


@final
class _UnlessJson:
    """Lets text through that does not begin like a JSON object."""

    def __init__(self) -> None:
        self._held = ""
        self._open = False

    def take(self, piece: str) -> str:
        """The piece with what was held before it, or nothing."""
        if self._open:
            return piece
        self._held += piece
        self._open = self._held.lstrip()[:1] not in ("", "{")
        return self._held if self._open else ""


def _curtain(request: ModelRequest, means: ToolSupport) -> _Curtain:
    if means is ToolSupport.EMULATED:
        return _Curtain(AnswerInTheMaking().take)
    if means is ToolSupport.NATIVE and request.response_format is None:
        return _Curtain(_UnlessJson().take)
    return _Curtain(str)
