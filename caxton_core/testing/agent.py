"""Hypothesis strategies for primitives, agent configurations and plain tables."""

import string
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from caxton_core.agent.config import AgentConfig
from caxton_core.agent.sections import (
    Budget,
    ConversationRules,
    ConversationScope,
    Fallback,
    Isolation,
    Llm,
    MemoryRules,
    MemoryScope,
    Permissions,
    Resources,
    RoutingRules,
    WindowStrategy,
)
from caxton_core.primitives import (
    AgentId,
    AgentName,
    CapabilityName,
    ConversationId,
    Cores,
    Count,
    Description,
    Duration,
    FreeTable,
    FreeValue,
    JsonObject,
    MessageId,
    ModelName,
    Penalty,
    PermissionRule,
    Priority,
    ProviderName,
    RealNumber,
    Seed,
    SemanticVersion,
    Similarity,
    Size,
    StopSequence,
    SystemPrompt,
    Temperature,
    Text,
    TokenCount,
    ToolName,
    ToolPattern,
    TopP,
    Usd,
    UserPromptTemplate,
    Weight,
    WholeNumber,
)

_T = TypeVar("_T", bound=Text)
_W = TypeVar("_W", bound=WholeNumber)
_R = TypeVar("_R", bound=RealNumber)
_LONGEST_MS = 3650 * 86_400_000

texts: SearchStrategy[str] = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
"""Any text that can be written in a file."""


def following(cls: type[_T]) -> SearchStrategy[_T]:
    """Texts that follow the rule of their class."""
    longest = min(cls.rule.longest or 60, 60)
    fitting = st.from_regex(cls.rule.pattern, fullmatch=True).filter(lambda text: is_fit(cls, text))
    return fitting.filter(lambda text: len(text) <= longest).map(cls)


def is_fit(cls: type[Text], text: str) -> bool:
    """Whether the text follows the rule."""
    return cls.rule.broken_by(text) is None


def whole(cls: type[_W]) -> SearchStrategy[_W]:
    """Whole numbers in the range of their class."""
    return st.integers(int(cls.rule.low or 0), int(cls.rule.high)).map(cls)


def real(cls: type[_R]) -> SearchStrategy[_R]:
    """Numbers in the range of their class."""
    low = cls.rule.low if cls.rule.above is None else cls.rule.above
    return st.floats(low, cls.rule.high, exclude_min=cls.rule.above is not None).map(cls)


agent_names: SearchStrategy[AgentName] = following(AgentName)
agent_ids: SearchStrategy[AgentId] = st.uuids().map(lambda uuid: AgentId(str(uuid)))
conversation_ids: SearchStrategy[ConversationId] = following(ConversationId)
message_ids: SearchStrategy[MessageId] = following(MessageId)
capability_names: SearchStrategy[CapabilityName] = following(CapabilityName)
tool_names: SearchStrategy[ToolName] = following(ToolName)
tool_patterns: SearchStrategy[ToolPattern] = following(ToolPattern)
permission_rules: SearchStrategy[PermissionRule] = following(PermissionRule)
model_names: SearchStrategy[ModelName] = following(ModelName)
provider_names: SearchStrategy[ProviderName] = following(ProviderName)
versions: SearchStrategy[SemanticVersion] = following(SemanticVersion)
durations: SearchStrategy[Duration] = st.integers(1, _LONGEST_MS).map(
    lambda milliseconds: Duration(milliseconds / 1000)
)
sizes: SearchStrategy[Size] = st.integers(1, 1 << 50).map(Size)
dollars: SearchStrategy[Usd] = st.integers(0, 10**15).map(Usd)
system_prompts: SearchStrategy[SystemPrompt] = texts.filter(
    lambda text: is_fit(SystemPrompt, text)
).map(SystemPrompt)
templates: SearchStrategy[UserPromptTemplate] = texts.filter(
    lambda text: is_fit(UserPromptTemplate, text)
).map(UserPromptTemplate)
json_values: SearchStrategy[object] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
json_objects: SearchStrategy[JsonObject] = st.dictionaries(texts, json_values, max_size=4).map(
    JsonObject.of
)
free_values: SearchStrategy[FreeValue] = st.recursive(
    st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False)
    | texts
    | st.dates()
    | st.datetimes()
    | st.times(),
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(texts, inner, max_size=3).map(FreeTable.of)
    ),
    max_leaves=6,
)
free_tables: SearchStrategy[FreeTable] = st.dictionaries(texts, free_values, max_size=4).map(
    FreeTable.of
)
llms: SearchStrategy[Llm] = st.builds(
    Llm,
    model=st.none() | model_names,
    temperature=real(Temperature),
    max_tokens=st.none() | whole(TokenCount),
    top_p=st.none() | real(TopP),
    frequency_penalty=st.none() | real(Penalty),
    presence_penalty=st.none() | real(Penalty),
    seed=st.none() | st.integers(-(2**63) + 1, 2**63 - 1).map(Seed),
    stop=st.lists(texts.filter(bool).map(StopSequence), max_size=4, unique=True).map(tuple),
    timeout=durations,
    fallback=st.lists(
        st.builds(Fallback, provider_names, st.none() | model_names), max_size=3, unique=True
    ).map(tuple),
)
memories: SearchStrategy[MemoryRules] = st.builds(
    MemoryRules,
    enabled=st.booleans(),
    scope=st.sampled_from(MemoryScope),
    auto_store=st.booleans(),
    recall_limit=whole(Count),
    min_similarity=st.none() | real(Similarity),
    max_entries=st.none() | whole(Count),
    retention=durations,
)
conversations: SearchStrategy[ConversationRules] = st.builds(
    ConversationRules,
    max_turns=whole(Count),
    idle_timeout=durations,
    context_window=whole(TokenCount),
    strategy=st.sampled_from(WindowStrategy),
    scope=st.sampled_from(ConversationScope),
    persist=st.booleans(),
)
_rules = st.lists(permission_rules, max_size=3, unique=True).map(tuple)
permissions: SearchStrategy[Permissions] = st.builds(Permissions, _rules, _rules, _rules)
resources: SearchStrategy[Resources] = st.builds(
    Resources,
    isolation=st.none() | st.sampled_from(Isolation),
    max_memory=st.none() | sizes,
    max_cpu=st.none() | real(Cores),
    max_concurrent_turns=whole(Count),
    mailbox=whole(Count),
    turn_timeout=durations,
    tool_timeout=durations,
    max_tool_rounds=whole(Count),
)
budgets: SearchStrategy[Budget] = st.builds(
    Budget, st.none() | whole(TokenCount), st.none() | whole(TokenCount), st.none() | dollars
)
routings: SearchStrategy[RoutingRules] = st.builds(RoutingRules, whole(Priority), real(Weight))
agent_configs: SearchStrategy[AgentConfig] = st.builds(
    AgentConfig,
    name=agent_names,
    system_prompt=system_prompts,
    version=versions,
    description=texts.map(lambda text: Description(" ".join(text.split()))),
    documentation=texts,
    capabilities=st.lists(capability_names, max_size=4, unique=True).map(tuple),
    user_prompt_template=templates,
    tools=st.lists(tool_patterns, max_size=4, unique=True).map(tuple),
    llm_provider=st.none() | provider_names,
    llm=llms,
    memory=memories,
    conversation=conversations,
    permissions=permissions,
    resources=resources,
    budget=budgets,
    routing=routings,
    parameters=free_tables,
    metadata=free_tables,
)
"""Any configuration whose fields are each right, whether or not they fit together."""

table_values: SearchStrategy[object] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=4)
    | st.dates()
    | st.datetimes()
    | st.times()
    | st.just(10**400),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)
"""Anything that a parser, or a programmer, may put into a table."""


def tables_like(keys: dict[str, tuple[str, ...]]) -> SearchStrategy[dict[str, object]]:
    """Tables that use the given keys and others, with values of any kind."""
    inner = {
        table: st.dictionaries(st.sampled_from(names) | st.text(max_size=6), table_values)
        for table, names in keys.items()
        if names
    }
    values = {key: table_values | inner.get(key, table_values) for key in keys}
    known = st.fixed_dictionaries({}, optional=values)
    others = st.dictionaries(st.text(string.ascii_lowercase, max_size=6), table_values, max_size=2)
    return st.builds(lambda these, those: {**those, **these}, known, others)
