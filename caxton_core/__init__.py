"""The core of Caxton: the types of its domain, its parsers, the life of an agent, the turn.

`import caxton_core` costs next to nothing, because agents' processes and the command line import
parts of it: a name loads its module when it is used. Type checkers read `__init__.pyi`.
"""

_NAMES = {
    "agent.config": "AgentConfig",
    "agent.lifecycle": (
        "Agent AnyAgent Failed Loaded Running State Stopped Unloaded fail load recovered "
        "start stop unload"
    ),
    "agent.record": "AgentRecord StateName",
    "agent.toml": "ReadAgent ReadTable read_agent read_agent_table write_agent",
    "codes.catalogue": "EXPLANATIONS explain",
    "conversation.message": (
        "AssistantMessage Message PromptMessage SystemMessage ToolMessage UserMessage"
    ),
    "conversation.model": (
        "Completion Feature FinishReason Healthy JsonSchemaFormat ModelCapabilities "
        "ModelFailure ModelRequest Sampling TextDelta ToolSupport"
    ),
    "conversation.past": "ConversationKey Past Summary",
    "conversation.turn": (
        "AskModel BudgetReached CallTools Cancelled Candidate DeadlinePassed GiveUp ModelAnswered "
        "ModelFailed Observation Reply Step ToolsAnswered Turn TurnRules advance begin ended "
        "rules_of"
    ),
    "events": "Event LifecycleEvent ProcessEvent TurnEvent entered",
    "limits": "Usage",
    "ports": "Answer Clock Configs Journal Model Tools",
    "primitives": (
        "AgentId AgentName CapabilityName ConversationId Count Duration JsonObject MessageId "
        "ModelName PermissionRule ProviderName SemanticVersion Size SystemPrompt Temperature "
        "TokenCount ToolName ToolPattern Usd"
    ),
    "problems": "Path Problem Problems Severity",
    "reading.report": "Placed Range Report human machine",
    "tools.permission": "Decision Effect Grant Level decide grant",
    "tools.tool": (
        "Blame BrokenToolCall RequestedCall Tool ToolCall ToolFailed ToolResult ToolSucceeded"
    ),
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = list(_MODULES)


def __getattr__(name: str) -> object:
    """A name of the core, from the module that defines it."""
    if name not in _MODULES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    module = __import__(f"{__name__}.{_MODULES[name]}", fromlist=(name,))
    value: object = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Every name, loaded or not."""
    return sorted({*globals(), *_MODULES})
