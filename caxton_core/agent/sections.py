"""The tables of an agent file, one class each."""

from enum import Enum
from typing import Annotated, Final, final

from attrs import frozen

from caxton_core.primitives import (
    Cores,
    Count,
    Duration,
    ModelName,
    Penalty,
    PermissionRule,
    Priority,
    ProviderName,
    Seed,
    Similarity,
    Size,
    StopSequence,
    Temperature,
    TokenCount,
    TopP,
    Usd,
    Weight,
)
from caxton_core.reading.keys import Distinct, Key

PROCESS_MEMORY: Final = Size(256 * 1024 * 1024)
"""The memory limit of an agent's process when its author gives none."""
PROCESS_CORES: Final = Cores(0.5)
"""The processor limit of an agent's process when its author gives none."""

_TEMPERATURE: Final = Temperature(0.7)
_ONE_MINUTE: Final = Duration(60)
_RECALLED: Final = Count(5)
_A_MONTH: Final = Duration(30 * 86400)
_TURNS: Final = Count(50)
_A_DAY: Final = Duration(86400)
_WINDOW: Final = TokenCount(4000)
_CONCURRENT: Final = Count(64)
_MAILBOX: Final = Count(1000)
_TURN_TIMEOUT: Final = Duration(120)
_TOOL_TIMEOUT: Final = Duration(30)
_ROUNDS: Final = Count(16)
_PRIORITY: Final = Priority(50)
_WEIGHT: Final = Weight(1.0)


@final
class MemoryScope(Enum):
    """Who shares what the agent remembers."""

    AGENT = "agent"
    CONVERSATION = "conversation"
    GLOBAL = "global"

    @classmethod
    def _missing_(cls, value: object) -> "MemoryScope | None":
        return cls.AGENT if value == "agent-only" else None


@final
class WindowStrategy(Enum):
    """What happens to messages that no longer fit into the context window."""

    SLIDING = "sliding"
    SUMMARIZE = "summarize"


@final
class ConversationScope(Enum):
    """Who takes part in a conversation."""

    AGENT = "agent"
    SHARED = "shared"


@final
class Isolation(Enum):
    """Whether an agent runs in an OS process of its own or as a task of the server."""

    TASK = "task"
    PROCESS = "process"


@final
@frozen
class Fallback:
    """Another provider and model that is asked when the first one fails."""

    provider: Annotated[
        ProviderName,
        Key("The provider to ask.", '"local"', why="A fall-back without it asks nobody."),
    ]
    model: Annotated[
        ModelName | None,
        Key("The model to ask for.", '"llama3.2"', default="the provider's default model"),
    ] = None


@final
@frozen
class Llm:
    """`[llm]`: which model answers, and how."""

    model: Annotated[
        ModelName | None,
        Key("The model, as its provider names it.", '"gpt-4o-mini"', default="the provider's"),
    ] = None
    temperature: Annotated[
        Temperature, Key("How freely the model chooses its words; 0 is the steadiest.", "0.2")
    ] = _TEMPERATURE
    max_tokens: Annotated[
        TokenCount | None,
        Key("The most tokens of one answer.", "1000", default="the provider's"),
    ] = None
    top_p: Annotated[
        TopP | None,
        Key("The share of probability to sample from.", "0.9", default="the provider's"),
    ] = None
    frequency_penalty: Annotated[
        Penalty | None,
        Key("Above 0: repeats words less often.", "0.5", default="the provider's"),
    ] = None
    presence_penalty: Annotated[
        Penalty | None,
        Key("Above 0: turns to new subjects sooner.", "0.5", default="the provider's"),
    ] = None
    seed: Annotated[
        Seed | None,
        Key("Makes answers repeatable where the model supports it.", "42", default="none"),
    ] = None
    stop: Annotated[
        tuple[StopSequence, ...], Distinct(4), Key("Texts at which the model stops.", '["END"]')
    ] = ()
    timeout: Annotated[Duration, Key("How long one call of the model may take.", '"60s"')] = (
        _ONE_MINUTE
    )
    fallback: Annotated[
        tuple[Fallback, ...],
        Distinct(8),
        Key(
            "Who is asked, in this order, when the provider fails.",
            '[{provider = "local", model = "llama3.2"}]',
        ),
    ] = ()


@final
@frozen
class MemoryRules:
    """`[memory]`: what the agent remembers."""

    enabled: Annotated[bool, Key("Whether the agent has a memory.", "true")] = True
    scope: Annotated[MemoryScope, Key("Who shares the memory.", '"agent"')] = MemoryScope.AGENT
    auto_store: Annotated[bool, Key("Store every exchange without being asked.", "true")] = False
    recall_limit: Annotated[Count, Key("The most entries recalled for a message.", "5")] = _RECALLED
    min_similarity: Annotated[
        Similarity | None,
        Key("Entries less alike than this are not recalled.", "0.75", default="the server's"),
    ] = None
    max_entries: Annotated[
        Count | None,
        Key("The oldest entries beyond this number are forgotten.", "10000", default="no limit"),
    ] = None
    retention: Annotated[Duration, Key("How long an entry is kept.", '"30d"')] = _A_MONTH


@final
@frozen
class ConversationRules:
    """`[conversation]`: how long conversations last and what of them the model sees."""

    max_turns: Annotated[Count, Key("The most exchanges that the model is shown.", "50")] = _TURNS
    idle_timeout: Annotated[
        Duration, Key("A conversation ends after this long without a message.", '"24h"')
    ] = _A_DAY
    context_window: Annotated[
        TokenCount, Key("The most tokens of conversation sent to the model.", "4000")
    ] = _WINDOW
    strategy: Annotated[
        WindowStrategy, Key("What happens to messages that no longer fit.", '"sliding"')
    ] = WindowStrategy.SLIDING
    scope: Annotated[ConversationScope, Key("Who takes part.", '"agent"')] = ConversationScope.AGENT
    persist: Annotated[bool, Key("Whether conversations survive a restart.", "true")] = True


@frozen
class Permissions:
    """`[permissions]`: which tool calls are allowed, asked about, denied."""

    allow: Annotated[
        tuple[PermissionRule, ...],
        Distinct(200),
        Key("Calls that are made at once.", '["files.read"]'),
    ] = ()
    ask: Annotated[
        tuple[PermissionRule, ...],
        Distinct(200),
        Key("Calls that a person confirms.", '["files.write"]'),
    ] = ()
    deny: Annotated[
        tuple[PermissionRule, ...],
        Distinct(200),
        Key("Calls that are never made.", '["files.read:path=/etc/*"]'),
    ] = ()


@final
@frozen
class Resources:
    """`[resources]`: how the agent runs and what it may take."""

    isolation: Annotated[
        Isolation | None,
        Key(
            "An OS process of its own, or a task of the server.",
            '"process"',
            default='"process" where the platform can fork, "task" elsewhere',
        ),
    ] = None
    max_memory: Annotated[
        Size | None,
        Key("The memory limit of the agent's process.", '"256MB"', default='"256MB" in a process'),
    ] = None
    max_cpu: Annotated[
        Cores | None,
        Key("The processor limit of the agent's process.", "0.5", default="0.5 in a process"),
    ] = None
    max_concurrent_turns: Annotated[
        Count,
        Key(
            "The most conversations answered at the same time; the messages of one "
            "conversation always follow one another.",
            "64",
        ),
    ] = _CONCURRENT
    mailbox: Annotated[Count, Key("The most messages that wait.", "1000")] = _MAILBOX
    turn_timeout: Annotated[
        Duration, Key("The deadline of a whole turn; it travels with the message.", '"120s"')
    ] = _TURN_TIMEOUT
    tool_timeout: Annotated[Duration, Key("The deadline of one tool call.", '"30s"')] = (
        _TOOL_TIMEOUT
    )
    max_tool_rounds: Annotated[
        Count, Key("How often the model may call tools within one turn.", "16")
    ] = _ROUNDS


@final
@frozen
class Budget:
    """`[budget]`: what the agent may spend."""

    tokens_per_turn: Annotated[
        TokenCount | None, Key("The most tokens of one turn.", "20000", default="no limit")
    ] = None
    tokens_per_day: Annotated[
        TokenCount | None, Key("The most tokens in any 24 hours.", "1000000", default="no limit")
    ] = None
    cost_per_day: Annotated[
        Usd | None, Key("The most US dollars in any 24 hours.", "5.0", default="no limit")
    ] = None


@final
@frozen
class RoutingRules:
    """`[routing]`: how the agent is chosen among those with the same capability."""

    priority: Annotated[Priority, Key("The highest is preferred.", "50")] = _PRIORITY
    weight: Annotated[Weight, Key("The share of work at equal priority.", "1.0")] = _WEIGHT
