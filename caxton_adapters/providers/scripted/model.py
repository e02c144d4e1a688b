"""The `Model` port over a scenario."""

import re
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from datetime import date, time
from typing import final

import anyio
from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_adapters.providers.scripted.failures import played, without_rule
from caxton_adapters.providers.scripted.scenario import Rule, Scenario, ScriptedCall
from caxton_core.conversation.message import (
    AssistantMessage,
    PromptMessage,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from caxton_core.conversation.model import (
    Completion,
    Feature,
    FinishReason,
    Healthy,
    ModelCapabilities,
    ModelFailure,
    ModelRequest,
    Phase,
    Sampling,
    TextDelta,
    TimedOut,
    ToolSupport,
)
from caxton_core.conversation.template import filled
from caxton_core.conversation.window import BYTES_PER_TOKEN, estimated_tokens
from caxton_core.limits import Usage
from caxton_core.ports import Answer
from caxton_core.primitives import FreeValue, JsonObject, ModelName, ProviderName
from caxton_core.tools.tool import (
    BrokenToolCall,
    RequestedCall,
    ToolCall,
    ToolFailed,
    ToolResult,
    ToolSucceeded,
)

RESULT = "result"
PLAIN_RESULT = "{{result}}"
_WORD = re.compile(r"\s*\S+\s*|\s+")


@final
@frozen
class _Played:
    """What a rule comes to: the text that is shown, and the answer."""

    text: str
    answer: Answer


@final
class Scripted:
    """Answers by the rules of a scenario; the same messages in the same order get the same."""

    def __init__(self, name: ProviderName, scenario: Scenario) -> None:
        self._name = name
        self._scenario = scenario
        self._played: Counter[int] = Counter()

    async def complete(self, request: ModelRequest) -> Answer:
        """The whole answer, after as long as its streaming would take."""
        outcome = self._play(request)
        pieces = len(tuple(self._pieces(outcome.text)))
        with anyio.move_on_after(request.timeout.value):
            await anyio.sleep(pieces * self._delay)
            return outcome.answer
        return Failure(TimedOut(Phase.TOTAL, request.timeout.value))

    async def stream(self, request: ModelRequest) -> AsyncGenerator[TextDelta | Answer]:
        """The answer piece by piece at the scenario's pace."""
        outcome = self._play(request)
        left = request.timeout.value
        for piece in self._pieces(outcome.text):
            if self._delay >= left:
                await anyio.sleep(left)
                yield Failure(TimedOut(Phase.TOTAL, request.timeout.value))
                return
            await anyio.sleep(self._delay)
            left -= self._delay
            yield TextDelta(piece)
        yield outcome.answer

    async def capabilities(
        self,
        model: ModelName | None = None,  # noqa: ARG002 (the port's parameter)
    ) -> Result[ModelCapabilities, ModelFailure]:
        """Text and tools, as the rules say; any model name will do."""
        return Success(ModelCapabilities(ToolSupport.NATIVE, frozenset({Feature.STREAMING})))

    async def health(self) -> Result[Healthy, ModelFailure]:
        """There is nothing that could be unreachable."""
        return Success(Healthy((self._scenario.model.value,)))

    async def aclose(self) -> None:
        """There is nothing to close."""

    @property
    def _delay(self) -> float:
        delay = self._scenario.streaming.delay
        return 0.0 if delay is None else delay.value

    def _pieces(self, text: str) -> Iterator[str]:
        chunk = self._scenario.streaming.chunk
        if chunk is None:
            return (word[0] for word in _WORD.finditer(text))
        size = chunk.value
        return (text[start : start + size] for start in range(0, len(text), size))

    def _play(self, request: ModelRequest) -> _Played:
        said, results = _last_exchange(request.messages)
        for index, rule in enumerate(self._scenario.rules):
            groups = _matched(rule, said)
            if groups is None or (results is None and self._is_over(index, rule)):
                continue
            self._played[index] += results is None
            return self._told(rule, request, said, groups, results)
        return _Played("", Failure(without_rule(said)))

    def _is_over(self, index: int, rule: Rule) -> bool:
        return rule.times is not None and self._played[index] >= rule.times.value

    def _told(
        self,
        rule: Rule,
        request: ModelRequest,
        said: str,
        groups: Mapping[str, str],
        results: str | None,
    ) -> _Played:
        values = groups if results is None else {**groups, RESULT: results}
        template = rule.answer if results is None else rule.then or PLAIN_RESULT
        text, finish = _bounded(filled(template or "", said, values), request.sampling)
        if rule.fail is not None:
            return _Played(text, Failure(played(rule.fail, self._name, rule.retry_after)))
        calls = _calls(rule.calls, said, values) if results is None else ()
        completion = Completion(
            text,
            FinishReason.TOOL_CALLS if calls else finish,
            _usage(rule, request, text),
            (request.model or self._scenario.model).value,
            calls,
        )
        return _Played(text, Success(completion))


def _last_exchange(messages: Sequence[PromptMessage]) -> tuple[str, str | None]:
    """The last text of the user, and what tools have answered since, if any were called."""
    results: list[str] = []
    for message in reversed(messages):
        match message:
            case UserMessage(text):
                return text, "\n".join(reversed(results)) if results else None
            case ToolMessage(result):
                results.append(_told(result))
            case SystemMessage() | AssistantMessage():
                pass
    return "", None


def _told(result: ToolResult) -> str:
    match result:
        case ToolSucceeded(_, text):
            return text
        case ToolFailed(_, why):
            return why


def _matched(rule: Rule, said: str) -> Mapping[str, str] | None:
    """The named groups of a rule that fits, or None."""
    if rule.exact is not None:
        return {} if rule.exact.strip() == said.strip() else None
    if rule.contains is not None:
        return {} if rule.contains.casefold() in said.casefold() else None
    if rule.regex is None:
        return {}
    found = re.search(rule.regex, said)
    return None if found is None else {name: text or "" for name, text in found.groupdict().items()}


def _bounded(text: str, sampling: Sampling) -> tuple[str, FinishReason]:
    """The text up to a stop sequence and the longest answer that was asked for."""
    ends = [text.find(stop) for stop in sampling.stop if stop and stop in text]
    text = text[: min(ends, default=len(text))]
    if sampling.max_tokens is None:
        return text, FinishReason.STOP
    longest = sampling.max_tokens.value * BYTES_PER_TOKEN
    return text[:longest], FinishReason.LENGTH if len(text) > longest else FinishReason.STOP


def _calls(
    calls: Sequence[ScriptedCall], said: str, values: Mapping[str, str]
) -> tuple[RequestedCall, ...]:
    return tuple(_call(f"call_{n}", call, said, values) for n, call in enumerate(calls, 1))


def _call(id_: str, call: ScriptedCall, said: str, values: Mapping[str, str]) -> RequestedCall:
    if call.broken is not None:
        why = "the arguments are no JSON object"
        return BrokenToolCall(id_, call.tool.value, call.broken, why)
    arguments = {key: _filled(value, said, values) for key, value in call.arguments.items()}
    return ToolCall(id_, call.tool, JsonObject.of(arguments))


def _filled(value: FreeValue, said: str, values: Mapping[str, str]) -> object:
    match value:
        case str():
            return filled(value, said, values)
        case tuple():
            return [_filled(item, said, values) for item in value]
        case Mapping():
            return {key: _filled(item, said, values) for key, item in value.items()}
        case date() | time():
            return value.isoformat()
        case _:
            return value


def _usage(rule: Rule, request: ModelRequest, text: str) -> Usage:
    if rule.usage is not None:
        return Usage(rule.usage.prompt_tokens.value, rule.usage.completion_tokens.value)
    return Usage(sum(map(estimated_tokens, request.messages)), -(-len(text) // BYTES_PER_TOKEN))
