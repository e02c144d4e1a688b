"""One turn of an agent as a value: what it wants done next, given everything observed so far.

The machine does nothing itself. `begin` gives a turn whose `step` says what to do; whoever does it
tells `advance` what came of it and gets the next turn, until the step is a `Reply` or a `GiveUp`.
"""

from collections.abc import Mapping
from typing import TypeAlias, final

from attrs import evolve, frozen

from caxton_core.agent.config import AgentConfig
from caxton_core.agent.sections import Llm
from caxton_core.conversation.message import (
    AssistantMessage,
    Message,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from caxton_core.conversation.model import (
    Completion,
    FinishReason,
    ModelFailure,
    ModelRequest,
    Sampling,
)
from caxton_core.conversation.past import Past, Summary
from caxton_core.conversation.template import PLAIN_TEMPLATE, filled
from caxton_core.conversation.window import estimated_tokens, newest_that_fit, tokens_left
from caxton_core.limits import Usage, added
from caxton_core.primitives import Duration, FreeValue, ModelName, ProviderName, TokenCount
from caxton_core.reading.written import plain, toml_value
from caxton_core.tools.tool import (
    BrokenToolCall,
    RequestedCall,
    Tool,
    ToolCall,
    ToolFailed,
    ToolResult,
)

MOST_CALLS_IN_A_ROUND = 64


@final
@frozen
class Candidate:
    """A model to ask; None is the server's default provider or the provider's default model."""

    provider: ProviderName | None
    model: ModelName | None


@final
@frozen
class TurnRules:
    """What an agent's turns obey; made once from its configuration."""

    system: SystemMessage
    template: str
    parameters: Mapping[str, str]
    candidates: tuple[Candidate, ...]
    sampling: Sampling
    timeout: Duration
    window: TokenCount
    max_exchanges: int
    max_tool_rounds: int
    tokens_per_turn: TokenCount | None
    tools: tuple[Tool, ...] = ()


@final
@frozen
class AskModel:
    """Ask this model; tell `ModelAnswered`, `ModelFailed` or `BudgetReached`."""

    candidate: Candidate
    request: ModelRequest


@final
@frozen
class CallTools:
    """Make these calls, together if you like; tell `ToolsAnswered`."""

    calls: tuple[ToolCall, ...]


@final
@frozen
class Reply:
    """The turn ended well; `said` is what it adds to the conversation.

    A `summary` takes the place of what it covers from now on.
    """

    text: str
    finish: FinishReason
    model: str
    said: tuple[Message, ...]
    usage: Usage
    summary: Summary | None = None


@final
@frozen
class GiveUp:
    """The turn ended without an answer and adds nothing to the conversation."""

    why: "GiveUpReason"
    usage: Usage


Step: TypeAlias = AskModel | CallTools | Reply | GiveUp


@final
@frozen
class ModelAnswered:
    """The model's answer to the last request."""

    completion: Completion


@final
@frozen
class ModelFailed:
    """Why there is no answer; `shown` counts the characters that somebody has seen already."""

    failure: ModelFailure
    shown: int = 0


@final
@frozen
class ToolsAnswered:
    """What came of the calls, in any order."""

    results: tuple[ToolResult, ...]


@final
@frozen
class DeadlinePassed:
    """The turn's time is over."""


@final
@frozen
class Cancelled:
    """Somebody does not want the answer any more."""


@final
@frozen
class BudgetReached:
    """The agent's budget of a day leaves no room for another call of a model.

    `budget` is the key of the agent file; there may be room after `retry_after` seconds, or never
    (None), because one call may take more than the whole `limit`.
    """

    budget: str
    limit: str
    retry_after: float | None


Observation: TypeAlias = (
    ModelAnswered | ModelFailed | ToolsAnswered | BudgetReached | DeadlinePassed | Cancelled
)


@final
@frozen
class TooManyToolRounds:
    """The model goes on calling tools after so many rounds."""

    limit: int


@final
@frozen
class TokensSpent:
    """The turn's token budget leaves no room for another question."""

    limit: TokenCount


@final
@frozen
class OutOfOrder:
    """What was told does not fit what the turn waits for: a defect of the one who told it."""

    observed: str
    awaited: str


GiveUpReason: TypeAlias = (
    ModelFailed
    | TooManyToolRounds
    | TokensSpent
    | BudgetReached
    | DeadlinePassed
    | Cancelled
    | OutOfOrder
)


@final
@frozen
class Turn:
    """A turn so far; `step` is what it wants done, or how it ended."""

    rules: TurnRules
    history: tuple[Message, ...]
    said: tuple[Message, ...]
    step: Step
    usage: Usage = Usage()
    tool_rounds: int = 0
    tried: int = 0


def rules_of(config: AgentConfig, tools: tuple[Tool, ...] = ()) -> TurnRules:
    """What the agent's author decided about its turns, with the tools that it was granted."""
    others = tuple(Candidate(other.provider, other.model) for other in config.llm.fallback)
    return TurnRules(
        system=SystemMessage(config.system_prompt.value),
        template=config.user_prompt_template.value,
        parameters={name: _shown(value) for name, value in config.parameters.items()},
        candidates=(Candidate(config.llm_provider, config.llm.model), *others),
        sampling=_sampling(config.llm),
        timeout=config.llm.timeout,
        window=config.conversation.context_window,
        max_exchanges=config.conversation.max_turns.value,
        max_tool_rounds=config.resources.max_tool_rounds.value,
        tokens_per_turn=config.budget.tokens_per_turn,
        tools=tools,
    )


def _shown(parameter: FreeValue) -> str:
    """A text as it is, anything else as its author wrote it in the file."""
    return parameter if isinstance(parameter, str) else toml_value(plain(parameter))


def _sampling(llm: Llm) -> Sampling:
    return Sampling(
        temperature=llm.temperature.value,
        max_tokens=llm.max_tokens,
        top_p=llm.top_p and llm.top_p.value,
        frequency_penalty=llm.frequency_penalty and llm.frequency_penalty.value,
        presence_penalty=llm.presence_penalty and llm.presence_penalty.value,
        seed=llm.seed and llm.seed.value,
        stop=tuple(stop.value for stop in llm.stop),
    )


def begin(rules: TurnRules, past: Past, text: str) -> Turn:
    """Take up a user's message; `past` is the conversation before it."""
    said = (UserMessage(text),)
    fitting = newest_that_fit(
        past.messages,
        tokens=tokens_left(rules.window, rules.system, _prompt(rules, said[0])),
        at_most=rules.max_exchanges,
    )
    return Turn(rules, fitting, said, _question(rules, (*fitting, *said), Usage(), tried=0))


def advance(turn: Turn, observed: Observation) -> Turn:
    """What the turn wants next, now that this was observed. A turn that ended stays as it is."""
    match (turn.step, observed):
        case (Reply() | GiveUp(), _):
            return turn
        case (_, BudgetReached() | DeadlinePassed() | Cancelled() as reason):
            return _given_up(turn, reason)
        case (AskModel(), ModelAnswered(completion)):
            return _answered(turn, completion)
        case (AskModel(), ModelFailed() as failed):
            return _failed(turn, failed)
        case (CallTools(), ToolsAnswered(results)):
            return _called(turn, results)
        case (step, out_of_order):
            why = OutOfOrder(type(out_of_order).__name__, type(step).__name__)
            return _given_up(turn, why)


def ended(turn: Turn) -> bool:
    """Whether there is nothing left to do."""
    return isinstance(turn.step, Reply | GiveUp)


def _answered(turn: Turn, completion: Completion) -> Turn:
    usage = added(turn.usage, completion.usage)
    calls = _with_distinct_ids(completion.calls, turn.tool_rounds)
    said = (*turn.said, AssistantMessage(completion.text, calls))
    if not calls:
        reply = Reply(completion.text, completion.finish, completion.model, said, usage)
        # Most turns come here, and `evolve` costs three times what the class itself does.
        return Turn(turn.rules, turn.history, said, reply, usage, turn.tool_rounds, turn.tried)
    if turn.tool_rounds >= turn.rules.max_tool_rounds:
        why = TooManyToolRounds(turn.rules.max_tool_rounds)
        return _given_up(evolve(turn, usage=usage), why)
    offered = {tool.name for tool in turn.rules.tools}
    sound = tuple(call for call in calls if isinstance(call, ToolCall) and call.name in offered)
    step = CallTools(sound[:MOST_CALLS_IN_A_ROUND])
    waiting = evolve(turn, said=said, usage=usage, step=step)
    return waiting if sound else _called(waiting, ())


def _with_distinct_ids(
    calls: tuple[RequestedCall, ...], tool_round: int
) -> tuple[RequestedCall, ...]:
    """The calls as they are, unless ids are missing or repeated: then all get ids of ours."""
    ids = {call.id for call in calls}
    if len(ids) == len(calls) and "" not in ids:
        return calls
    return tuple(evolve(call, id=f"call_{tool_round}_{n}") for n, call in enumerate(calls))


def _failed(turn: Turn, failed: ModelFailed) -> Turn:
    """Ask the next model that the author named, unless somebody has seen part of an answer."""
    tried = turn.tried + 1
    if failed.shown or tried >= len(turn.rules.candidates):
        return _given_up(turn, failed)
    step = _question(turn.rules, (*turn.history, *turn.said), turn.usage, tried)
    return evolve(turn, step=step, tried=tried)


def _called(turn: Turn, results: tuple[ToolResult, ...]) -> Turn:
    """Give every call of the last answer exactly one result, whatever was told."""
    told = {result.call_id: result for result in results}
    last = turn.said[-1]
    calls = last.calls if isinstance(last, AssistantMessage) else ()
    said = (*turn.said, *(ToolMessage(_result(call, told)) for call in calls))
    step = _question(turn.rules, (*turn.history, *said), turn.usage, turn.tried)
    return evolve(turn, said=said, step=step, tool_rounds=turn.tool_rounds + 1)


def _result(call: RequestedCall, told: Mapping[str, ToolResult]) -> ToolResult:
    match call:
        case BrokenToolCall():
            return ToolFailed(call.id, call.why)
        case ToolCall():
            return told.get(call.id, ToolFailed(call.id, f"{call.name.value} was not called"))


def _question(
    rules: TurnRules, messages: tuple[Message, ...], usage: Usage, tried: int
) -> AskModel | GiveUp:
    candidate = rules.candidates[tried]
    prompt = (rules.system, *(_prompt(rules, message) for message in messages))
    sampling = rules.sampling
    if rules.tokens_per_turn is not None:
        left = rules.tokens_per_turn.value - usage.tokens - sum(map(estimated_tokens, prompt))
        if left <= 0:
            return GiveUp(TokensSpent(rules.tokens_per_turn), usage)
        sampling = _capped(sampling, left)
    request = ModelRequest(prompt, candidate.model, rules.tools, sampling, timeout=rules.timeout)
    return AskModel(candidate, request)


def _capped(sampling: Sampling, tokens: int) -> Sampling:
    if sampling.max_tokens is not None and sampling.max_tokens.value <= tokens:
        return sampling
    return evolve(sampling, max_tokens=TokenCount(tokens))


def _prompt(rules: TurnRules, message: Message) -> Message:
    """The message as the model reads it: the user's text stands in the author's template."""
    if rules.template == PLAIN_TEMPLATE or not isinstance(message, UserMessage):
        return message
    return UserMessage(filled(rules.template, message.text, rules.parameters))


def _given_up(turn: Turn, why: GiveUpReason) -> Turn:
    return evolve(turn, step=GiveUp(why, turn.usage))
