"""One turn of an agent as a value: what it wants done next, given everything observed so far.

The machine does nothing itself. `begin` gives a turn whose `step` says what to do; whoever does it
tells `advance` what came of it and gets the next turn, until the step is a `Reply` or a `GiveUp`.

Where the author wants it, a turn whose past does not fit asks for a summary first. That step is
`inner`, and so is what is told of it: should the turn begin again with another past, which needs
no summary, the answer to the one question is never taken for the answer to the other.
"""

from collections.abc import Mapping
from typing import TypeAlias, final

from attrs import evolve, frozen

from caxton_core.agent.config import AgentConfig
from caxton_core.agent.sections import WindowStrategy
from caxton_core.conversation.calls import answered_calls, to_be_made, with_distinct_ids
from caxton_core.conversation.context import prompt, rendered, room_beside, shown
from caxton_core.conversation.message import (
    AssistantMessage,
    Message,
    PromptMessage,
    SystemMessage,
    UserMessage,
)
from caxton_core.conversation.model import (
    Completion,
    FinishReason,
    ModelFailure,
    ModelRequest,
    Sampling,
    sampling_of,
)
from caxton_core.conversation.past import Past, Summary
from caxton_core.conversation.repair import repaired
from caxton_core.conversation.spending import capped, tool_tokens
from caxton_core.conversation.summarizing import (
    Condensing,
    affordable,
    condensed,
    condensing,
)
from caxton_core.conversation.template import parameter_text
from caxton_core.conversation.window import estimated_tokens, without_oldest
from caxton_core.limits import Usage, added
from caxton_core.primitives import Duration, ModelName, ProviderName, TokenCount
from caxton_core.tools.tool import (
    Tool,
    ToolCall,
    ToolResult,
)


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
    strategy: WindowStrategy = WindowStrategy.SLIDING
    summary_timeout: Duration = Duration(15.0)


@final
@frozen
class AskModel:
    """Ask this model; tell `ModelAnswered`, `ModelFailed` or `BudgetReached`.

    The answer to an `inner` question is the turn's own: nobody is shown any of it, and what is
    told of it is `inner` too.
    """

    candidate: Candidate
    request: ModelRequest
    inner: bool = False


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
    inner: bool = False


@final
@frozen
class ModelFailed:
    """Why there is no answer; `shown` counts the characters that somebody has seen already."""

    failure: ModelFailure
    shown: int = 0
    inner: bool = False


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
    inner: bool = False


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
    past: Past
    said: tuple[Message, ...]
    step: Step
    usage: Usage = Usage()
    tool_rounds: int = 0
    tried: int = 0
    condensing: Condensing | None = None
    summary: Summary | None = None


def rules_of(config: AgentConfig, tools: tuple[Tool, ...] = ()) -> TurnRules:
    """What the agent's author decided about its turns, with the tools that it was granted."""
    others = tuple(Candidate(other.provider, other.model) for other in config.llm.fallback)
    return TurnRules(
        system=SystemMessage(config.system_prompt.value),
        template=config.user_prompt_template.value,
        parameters={name: parameter_text(value) for name, value in config.parameters.items()},
        candidates=(Candidate(config.llm_provider, config.llm.model), *others),
        sampling=sampling_of(config.llm),
        timeout=config.llm.timeout,
        window=config.conversation.context_window,
        max_exchanges=config.conversation.max_turns.value,
        max_tool_rounds=config.resources.max_tool_rounds.value,
        tokens_per_turn=config.budget.tokens_per_turn,
        tools=tools,
        strategy=config.conversation.strategy,
        summary_timeout=_for_a_summary(config),
    )


def _for_a_summary(config: AgentConfig) -> Duration:
    """A quarter of the time that there is, so that a slow summary never costs the answer."""
    whole = min(config.llm.timeout.value, config.resources.turn_timeout.value)
    return Duration(whole / 4)


def begin(rules: TurnRules, past: Past, text: str) -> Turn:
    """Take up a user's message; `past` is the conversation before it, in whatever state."""
    said = (UserMessage(text),)
    messages = repaired(past.messages)
    sound = past if messages is past.messages else evolve(past, messages=messages)
    room = room_beside(rules, said)
    fitting = shown(rules, sound, room)
    question = rendered(rules, fitting, said)
    if rules.strategy is WindowStrategy.SUMMARIZE and len(fitting.kept) < len(messages):
        due = condensing(rules, sound, room)
        if due and (step := _summary_step(rules, due, question)):
            return Turn(rules, sound, said, step, condensing=due)
    return Turn(rules, sound, said, _question(rules, question, Usage(), tried=0))


def advance(turn: Turn, observed: Observation) -> Turn:
    """What the turn wants next, now that this was observed. A turn that ended stays as it is."""
    match (turn.step, observed):
        case (Reply() | GiveUp(), _):
            return turn
        case (_, DeadlinePassed() | Cancelled() as reason):
            return _given_up(turn, reason)
        case (_, ModelAnswered(inner=True) | ModelFailed(inner=True) | BudgetReached(inner=True)):
            return _told_of_the_summary(turn, observed)
        case (AskModel(inner=True), _):
            going_on = _asking(evolve(turn, condensing=None))
            return going_on if isinstance(observed, BudgetReached) else advance(going_on, observed)
        case (_, BudgetReached() as reason):
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


def _told_of_the_summary(turn: Turn, observed: Observation) -> Turn:
    """Go on with the summary, or without it; of one that nobody waits for the usage counts."""
    usage, due, text = turn.usage, turn.condensing, ""
    if isinstance(observed, ModelAnswered):
        usage = added(usage, observed.completion.usage)
        text = condensed(observed.completion, due.most) if due else ""
    if not isinstance(turn.step, AskModel):
        return evolve(turn, usage=usage)
    if due is None or not text:
        return _asking(evolve(turn, usage=usage, condensing=None))
    past = Past(without_oldest(turn.past.messages, due.exchanges), text, turn.past.recalled)
    summary = Summary(text, due.exchanges)
    return _asking(evolve(turn, past=past, usage=usage, condensing=None, summary=summary))


def _answered(turn: Turn, completion: Completion) -> Turn:
    usage = added(turn.usage, completion.usage)
    calls = with_distinct_ids(completion.calls, turn.said)
    said = (*turn.said, AssistantMessage(completion.text, calls))
    if not calls:
        text, finish, model = completion.text, completion.finish, completion.model
        reply = Reply(text, finish, model, said, usage, turn.summary)
        # Most turns come here, and `evolve` costs three times what the class itself does.
        return Turn(turn.rules, turn.past, said, reply, usage, turn.tool_rounds, turn.tried)
    if turn.tool_rounds >= turn.rules.max_tool_rounds:
        why = TooManyToolRounds(turn.rules.max_tool_rounds)
        return _given_up(evolve(turn, usage=usage), why)
    sound = to_be_made(calls)
    waiting = evolve(turn, said=said, usage=usage, step=CallTools(sound))
    return waiting if sound else _called(waiting, ())


def _failed(turn: Turn, failed: ModelFailed) -> Turn:
    """Ask the next model that the author named, unless somebody has seen part of an answer."""
    tried = turn.tried + 1
    if failed.shown or tried >= len(turn.rules.candidates):
        return _given_up(turn, failed)
    return _asking(evolve(turn, tried=tried))


def _called(turn: Turn, results: tuple[ToolResult, ...]) -> Turn:
    """Go back to the model with a result of every call of its last answer."""
    said = (*turn.said, *answered_calls(turn.said[-1], results))
    return _asking(evolve(turn, said=said, tool_rounds=turn.tool_rounds + 1))


def _asking(turn: Turn) -> Turn:
    messages = prompt(turn.rules, turn.past, turn.said)
    return evolve(turn, step=_question(turn.rules, messages, turn.usage, turn.tried))


def _question(
    rules: TurnRules, messages: tuple[PromptMessage, ...], usage: Usage, tried: int
) -> AskModel | GiveUp:
    candidate = rules.candidates[tried]
    sampling = rules.sampling
    if rules.tokens_per_turn is not None:
        left = rules.tokens_per_turn.value - usage.tokens - _tokens(rules, messages)
        if left <= 0:
            return GiveUp(TokensSpent(rules.tokens_per_turn), usage)
        sampling = capped(sampling, left)
    request = ModelRequest(messages, candidate.model, rules.tools, sampling, timeout=rules.timeout)
    return AskModel(candidate, request)


def _summary_step(
    rules: TurnRules, due: Condensing, question: tuple[PromptMessage, ...]
) -> AskModel | None:
    """The question for a summary; None where it could leave no tokens for the answer itself."""
    most = affordable(due, rules.tokens_per_turn, _tokens(rules, question))
    if most is None:
        return None
    given, candidate = rules.sampling, rules.candidates[0]
    sampling = Sampling(given.temperature, most, given.top_p, seed=given.seed)
    timeout = rules.summary_timeout
    request = ModelRequest(due.messages, candidate.model, sampling=sampling, timeout=timeout)
    return AskModel(candidate, request, inner=True)


def _tokens(rules: TurnRules, question: tuple[PromptMessage, ...]) -> int:
    return sum(map(estimated_tokens, question)) + tool_tokens(rules.tools)


def _given_up(turn: Turn, why: GiveUpReason) -> Turn:
    return evolve(turn, step=GiveUp(why, turn.usage))
