"""Hypothesis strategies for messages, models, tools and turns."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from caxton_core.agent.sections import WindowStrategy
from caxton_core.conversation.message import (
    AssistantMessage,
    Message,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from caxton_core.conversation.model import (
    AnswerCut,
    AnswerEmpty,
    AnswerMalformed,
    CircuitOpen,
    Completion,
    ContentFiltered,
    ContextTooLong,
    FinishReason,
    KeyMissing,
    LimitReached,
    ModelFailure,
    ModelNotFound,
    NameNotResolved,
    NotAuthenticated,
    NotPermitted,
    Phase,
    ProviderUnknown,
    QuotaExhausted,
    RateLimited,
    RequestRefused,
    Sampling,
    ServiceFault,
    TimedOut,
    TlsFailed,
    Unreachable,
)
from caxton_core.conversation.past import Past
from caxton_core.conversation.turn import (
    BudgetReached,
    Cancelled,
    Candidate,
    DeadlinePassed,
    ModelAnswered,
    ModelFailed,
    Observation,
    ToolsAnswered,
    TurnRules,
)
from caxton_core.limits import Usage
from caxton_core.primitives import (
    Duration,
    JsonObject,
    ModelName,
    ProviderName,
    TokenCount,
    ToolName,
    Usd,
)
from caxton_core.tools.tool import (
    Blame,
    BrokenToolCall,
    RequestedCall,
    Tool,
    ToolCall,
    ToolFailed,
    ToolResult,
    ToolSucceeded,
)

texts: SearchStrategy[str] = st.text(max_size=80)
tool_names: SearchStrategy[ToolName] = st.sampled_from(
    [ToolName("files.read"), ToolName("files.write"), ToolName("web.fetch")]
)
json_objects: SearchStrategy[JsonObject] = st.dictionaries(
    texts, st.none() | st.booleans() | st.integers() | texts, max_size=3
).map(JsonObject.of)
tools: SearchStrategy[Tool] = st.builds(Tool, tool_names, texts, json_objects)
call_ids: SearchStrategy[str] = st.sampled_from(["", "call_1", "call_2", "call_3"])
sound_calls: SearchStrategy[ToolCall] = st.builds(ToolCall, call_ids, tool_names, json_objects)
broken_calls: SearchStrategy[BrokenToolCall] = st.builds(
    BrokenToolCall, call_ids, texts, texts, texts
)
requested_calls: SearchStrategy[RequestedCall] = sound_calls | broken_calls
tool_results: SearchStrategy[ToolResult] = st.builds(ToolSucceeded, call_ids, texts) | st.builds(
    ToolFailed, call_ids, texts, st.sampled_from(Blame)
)

usages: SearchStrategy[Usage] = st.builds(
    Usage,
    st.integers(0, 10_000),
    st.integers(0, 10_000),
    st.integers(0, 100),
    st.integers(0, 100),
    st.none() | st.integers(0, 10**9).map(Usd),
)
completions: SearchStrategy[Completion] = st.builds(
    Completion,
    texts,
    st.sampled_from(FinishReason),
    usages,
    texts,
    st.lists(requested_calls, max_size=3).map(tuple),
)
seconds: SearchStrategy[float] = st.floats(0, 3600)
failures: SearchStrategy[ModelFailure] = st.one_of(
    st.builds(Unreachable, texts, texts),
    st.builds(NameNotResolved, texts),
    st.builds(TlsFailed, texts, texts),
    st.builds(NotAuthenticated, texts),
    st.builds(NotPermitted, texts),
    st.builds(ModelNotFound, texts, texts),
    st.builds(RateLimited, texts, st.none() | seconds),
    st.builds(QuotaExhausted, texts),
    st.builds(ContextTooLong, texts),
    st.builds(ContentFiltered, texts),
    st.builds(RequestRefused, st.integers(400, 499), texts),
    st.builds(ServiceFault, st.integers(500, 599), texts, st.none() | seconds),
    st.builds(TimedOut, st.sampled_from(Phase), seconds),
    st.builds(AnswerCut, texts),
    st.builds(AnswerMalformed, texts),
    st.builds(AnswerEmpty),
    st.builds(KeyMissing, st.just(ProviderName("openai")), st.lists(texts, max_size=2).map(tuple)),
    st.builds(ProviderUnknown, st.none(), st.just(())),
    st.builds(CircuitOpen, st.just(ProviderName("openai")), seconds),
    st.builds(LimitReached, texts, seconds),
)

system_messages: SearchStrategy[SystemMessage] = st.builds(SystemMessage, texts)
user_messages: SearchStrategy[UserMessage] = st.builds(UserMessage, texts)
assistant_messages: SearchStrategy[AssistantMessage] = st.builds(
    AssistantMessage, texts, st.lists(requested_calls, max_size=2).map(tuple)
)
tool_messages: SearchStrategy[ToolMessage] = st.builds(ToolMessage, tool_results)
messages: SearchStrategy[Message] = st.one_of(user_messages, assistant_messages, tool_messages)
histories: SearchStrategy[tuple[Message, ...]] = st.lists(messages, max_size=12).map(tuple)
pasts: SearchStrategy[Past] = st.builds(
    Past, histories, st.just("") | texts, st.lists(texts, max_size=3).map(tuple)
)
inner = st.sampled_from([False, False, True])

observations: SearchStrategy[Observation] = st.one_of(
    st.builds(ModelAnswered, completions, inner),
    st.builds(ModelFailed, failures, st.integers(0, 1), inner),
    st.builds(ToolsAnswered, st.lists(tool_results, max_size=3).map(tuple)),
    st.builds(BudgetReached, texts, texts, st.none() | seconds, inner),
    st.builds(DeadlinePassed),
    st.builds(Cancelled),
)
candidates: SearchStrategy[Candidate] = st.builds(
    Candidate,
    st.sampled_from([None, ProviderName("openai"), ProviderName("local")]),
    st.sampled_from([None, ModelName("gpt-4o-mini")]),
)
turn_rules: SearchStrategy[TurnRules] = st.builds(
    TurnRules,
    system=system_messages,
    template=st.sampled_from(["{{request}}", "Answer in {{language}}: {{request}}"]),
    parameters=st.sampled_from([{}, {"language": "French"}]),
    candidates=st.lists(candidates, min_size=1, max_size=3).map(tuple),
    sampling=st.sampled_from([Sampling(), Sampling(temperature=0.7, max_tokens=TokenCount(50))]),
    timeout=st.just(Duration(60.0)),
    window=st.integers(1, 500).map(TokenCount),
    max_exchanges=st.integers(1, 10),
    max_tool_rounds=st.integers(1, 4),
    tokens_per_turn=st.none() | st.integers(1, 5000).map(TokenCount),
    tools=st.lists(tools, max_size=3).map(tuple),
    strategy=st.sampled_from(WindowStrategy),
)
