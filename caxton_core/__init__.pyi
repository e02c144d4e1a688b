# What type checkers read: every name that `import caxton_core` gives, from its own module.

from caxton_core.agent.config import (
    AgentConfig as AgentConfig,
)
from caxton_core.agent.lifecycle import (
    Agent as Agent,
)
from caxton_core.agent.lifecycle import (
    AnyAgent as AnyAgent,
)
from caxton_core.agent.lifecycle import (
    Failed as Failed,
)
from caxton_core.agent.lifecycle import (
    Loaded as Loaded,
)
from caxton_core.agent.lifecycle import (
    Running as Running,
)
from caxton_core.agent.lifecycle import (
    State as State,
)
from caxton_core.agent.lifecycle import (
    Stopped as Stopped,
)
from caxton_core.agent.lifecycle import (
    Unloaded as Unloaded,
)
from caxton_core.agent.lifecycle import (
    fail as fail,
)
from caxton_core.agent.lifecycle import (
    load as load,
)
from caxton_core.agent.lifecycle import (
    recovered as recovered,
)
from caxton_core.agent.lifecycle import (
    start as start,
)
from caxton_core.agent.lifecycle import (
    stop as stop,
)
from caxton_core.agent.lifecycle import (
    unload as unload,
)
from caxton_core.agent.record import (
    AgentRecord as AgentRecord,
)
from caxton_core.agent.record import (
    StateName as StateName,
)
from caxton_core.agent.toml import (
    ReadAgent as ReadAgent,
)
from caxton_core.agent.toml import (
    ReadTable as ReadTable,
)
from caxton_core.agent.toml import (
    read_agent as read_agent,
)
from caxton_core.agent.toml import (
    read_agent_table as read_agent_table,
)
from caxton_core.agent.toml import (
    write_agent as write_agent,
)
from caxton_core.codes.catalogue import (
    EXPLANATIONS as EXPLANATIONS,
)
from caxton_core.codes.catalogue import (
    explain as explain,
)
from caxton_core.conversation.message import (
    AssistantMessage as AssistantMessage,
)
from caxton_core.conversation.message import (
    Message as Message,
)
from caxton_core.conversation.message import (
    PromptMessage as PromptMessage,
)
from caxton_core.conversation.message import (
    SystemMessage as SystemMessage,
)
from caxton_core.conversation.message import (
    ToolMessage as ToolMessage,
)
from caxton_core.conversation.message import (
    UserMessage as UserMessage,
)
from caxton_core.conversation.model import (
    Completion as Completion,
)
from caxton_core.conversation.model import (
    Feature as Feature,
)
from caxton_core.conversation.model import (
    FinishReason as FinishReason,
)
from caxton_core.conversation.model import (
    Healthy as Healthy,
)
from caxton_core.conversation.model import (
    JsonSchemaFormat as JsonSchemaFormat,
)
from caxton_core.conversation.model import (
    ModelCapabilities as ModelCapabilities,
)
from caxton_core.conversation.model import (
    ModelFailure as ModelFailure,
)
from caxton_core.conversation.model import (
    ModelRequest as ModelRequest,
)
from caxton_core.conversation.model import (
    Sampling as Sampling,
)
from caxton_core.conversation.model import (
    TextDelta as TextDelta,
)
from caxton_core.conversation.model import (
    ToolSupport as ToolSupport,
)
from caxton_core.conversation.past import (
    ConversationKey as ConversationKey,
)
from caxton_core.conversation.past import (
    Past as Past,
)
from caxton_core.conversation.past import (
    Summary as Summary,
)
from caxton_core.conversation.turn import (
    AskModel as AskModel,
)
from caxton_core.conversation.turn import (
    BudgetReached as BudgetReached,
)
from caxton_core.conversation.turn import (
    CallTools as CallTools,
)
from caxton_core.conversation.turn import (
    Cancelled as Cancelled,
)
from caxton_core.conversation.turn import (
    Candidate as Candidate,
)
from caxton_core.conversation.turn import (
    DeadlinePassed as DeadlinePassed,
)
from caxton_core.conversation.turn import (
    GiveUp as GiveUp,
)
from caxton_core.conversation.turn import (
    ModelAnswered as ModelAnswered,
)
from caxton_core.conversation.turn import (
    ModelFailed as ModelFailed,
)
from caxton_core.conversation.turn import (
    Observation as Observation,
)
from caxton_core.conversation.turn import (
    Reply as Reply,
)
from caxton_core.conversation.turn import (
    Step as Step,
)
from caxton_core.conversation.turn import (
    ToolsAnswered as ToolsAnswered,
)
from caxton_core.conversation.turn import (
    Turn as Turn,
)
from caxton_core.conversation.turn import (
    TurnRules as TurnRules,
)
from caxton_core.conversation.turn import (
    advance as advance,
)
from caxton_core.conversation.turn import (
    begin as begin,
)
from caxton_core.conversation.turn import (
    ended as ended,
)
from caxton_core.conversation.turn import (
    rules_of as rules_of,
)
from caxton_core.events import (
    Event as Event,
)
from caxton_core.events import (
    LifecycleEvent as LifecycleEvent,
)
from caxton_core.events import (
    ProcessEvent as ProcessEvent,
)
from caxton_core.events import (
    TurnEvent as TurnEvent,
)
from caxton_core.events import (
    entered as entered,
)
from caxton_core.limits import (
    Usage as Usage,
)
from caxton_core.ports import (
    Answer as Answer,
)
from caxton_core.ports import (
    Clock as Clock,
)
from caxton_core.ports import (
    Configs as Configs,
)
from caxton_core.ports import (
    Journal as Journal,
)
from caxton_core.ports import (
    Model as Model,
)
from caxton_core.ports import (
    Tools as Tools,
)
from caxton_core.primitives import (
    AgentId as AgentId,
)
from caxton_core.primitives import (
    AgentName as AgentName,
)
from caxton_core.primitives import (
    CapabilityName as CapabilityName,
)
from caxton_core.primitives import (
    ConversationId as ConversationId,
)
from caxton_core.primitives import (
    Count as Count,
)
from caxton_core.primitives import (
    Duration as Duration,
)
from caxton_core.primitives import (
    JsonObject as JsonObject,
)
from caxton_core.primitives import (
    MessageId as MessageId,
)
from caxton_core.primitives import (
    ModelName as ModelName,
)
from caxton_core.primitives import (
    PermissionRule as PermissionRule,
)
from caxton_core.primitives import (
    ProviderName as ProviderName,
)
from caxton_core.primitives import (
    SemanticVersion as SemanticVersion,
)
from caxton_core.primitives import (
    Size as Size,
)
from caxton_core.primitives import (
    SystemPrompt as SystemPrompt,
)
from caxton_core.primitives import (
    Temperature as Temperature,
)
from caxton_core.primitives import (
    TokenCount as TokenCount,
)
from caxton_core.primitives import (
    ToolName as ToolName,
)
from caxton_core.primitives import (
    ToolPattern as ToolPattern,
)
from caxton_core.primitives import (
    Usd as Usd,
)
from caxton_core.problems import (
    Path as Path,
)
from caxton_core.problems import (
    Problem as Problem,
)
from caxton_core.problems import (
    Problems as Problems,
)
from caxton_core.problems import (
    Severity as Severity,
)
from caxton_core.reading.report import (
    Placed as Placed,
)
from caxton_core.reading.report import (
    Range as Range,
)
from caxton_core.reading.report import (
    Report as Report,
)
from caxton_core.reading.report import (
    human as human,
)
from caxton_core.reading.report import (
    machine as machine,
)
from caxton_core.tools.permission import (
    Decision as Decision,
)
from caxton_core.tools.permission import (
    Effect as Effect,
)
from caxton_core.tools.permission import (
    Grant as Grant,
)
from caxton_core.tools.permission import (
    Level as Level,
)
from caxton_core.tools.permission import (
    decide as decide,
)
from caxton_core.tools.permission import (
    grant as grant,
)
from caxton_core.tools.tool import (
    Blame as Blame,
)
from caxton_core.tools.tool import (
    BrokenToolCall as BrokenToolCall,
)
from caxton_core.tools.tool import (
    RequestedCall as RequestedCall,
)
from caxton_core.tools.tool import (
    Tool as Tool,
)
from caxton_core.tools.tool import (
    ToolCall as ToolCall,
)
from caxton_core.tools.tool import (
    ToolFailed as ToolFailed,
)
from caxton_core.tools.tool import (
    ToolResult as ToolResult,
)
from caxton_core.tools.tool import (
    ToolSucceeded as ToolSucceeded,
)
