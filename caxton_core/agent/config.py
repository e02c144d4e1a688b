"""Everything that the author of an agent decides."""

from typing import Annotated, Final, final

from attrs import frozen

from caxton_core.agent.sections import (
    Budget,
    ConversationRules,
    Llm,
    MemoryRules,
    Permissions,
    Resources,
    RoutingRules,
)
from caxton_core.primitives import (
    AgentName,
    CapabilityName,
    Description,
    FreeTable,
    ProviderName,
    SemanticVersion,
    SystemPrompt,
    ToolPattern,
    UserPromptTemplate,
)
from caxton_core.reading.keys import Distinct, Key

_VERSION: Final = SemanticVersion("1.0.0")
_DESCRIPTION: Final = Description("")
_TEMPLATE: Final = UserPromptTemplate("{{request}}")
_LLM: Final = Llm()
_MEMORY: Final = MemoryRules()
_CONVERSATION: Final = ConversationRules()
_PERMISSIONS: Final = Permissions()
_RESOURCES: Final = Resources()
_BUDGET: Final = Budget()
_ROUTING: Final = RoutingRules()
_NOTHING: Final = FreeTable()


@final
@frozen
class AgentConfig:
    """An agent as its author wrote it; sections left out share one default value each."""

    name: Annotated[
        AgentName,
        Key(
            "The name that people and other agents address; unique on a server.",
            '"data-analyst"',
            why="The name is the agent's address: in the API's paths, in logs, in other agents.",
        ),
    ]
    system_prompt: Annotated[
        SystemPrompt,
        Key(
            "What the model is told about its role; multi-line text is kept byte for byte.",
            '"""\nYou greet people warmly and briefly.\n"""',
            why="The prompt is what makes this agent different from the bare model.",
        ),
    ]
    version: Annotated[
        SemanticVersion, Key("The version of this agent, for whoever deploys it.", '"1.2.0"')
    ] = _VERSION
    description: Annotated[
        Description, Key("One line about the agent, shown in lists.", '"Greets people by name."')
    ] = _DESCRIPTION
    documentation: Annotated[
        str, Key("Markdown for the people who use the agent.", '"# Greeter\\n\\nSay hello."')
    ] = ""
    capabilities: Annotated[
        tuple[CapabilityName, ...],
        Distinct(20),
        Key("What the agent can be asked for by capability.", '["data-analysis", "reporting"]'),
    ] = ()
    user_prompt_template: Annotated[
        UserPromptTemplate,
        Key(
            "The text around each message; `{{request}}` is the message, other placeholders "
            "come from `[parameters]`.",
            '"Answer in one sentence: {{request}}"',
        ),
    ] = _TEMPLATE
    tools: Annotated[
        tuple[ToolPattern, ...],
        Distinct(100),
        Key(
            "The tools that the agent is shown, from registered tool servers.",
            '["files.read", "search.*"]',
        ),
    ] = ()
    llm_provider: Annotated[
        ProviderName | None,
        Key(
            "The configured provider that answers.",
            '"openai"',
            default="the server's default provider",
        ),
    ] = None
    llm: Annotated[Llm, Key("Which model answers, and how.", "")] = _LLM
    memory: Annotated[MemoryRules, Key("What the agent remembers.", "")] = _MEMORY
    conversation: Annotated[
        ConversationRules, Key("How long conversations last and what of them the model sees.", "")
    ] = _CONVERSATION
    permissions: Annotated[
        Permissions,
        Key(
            "Which tool calls are allowed; deny goes before ask, ask before allow, and what is "
            "not named is refused. The server must allow the tool as well.",
            "",
        ),
    ] = _PERMISSIONS
    resources: Annotated[Resources, Key("How the agent runs and what it may take.", "")] = (
        _RESOURCES
    )
    budget: Annotated[
        Budget, Key("What the agent may spend; reserved before a call, so never exceeded.", "")
    ] = _BUDGET
    routing: Annotated[
        RoutingRules, Key("How the agent is chosen among those with the same capability.", "")
    ] = _ROUTING
    parameters: Annotated[
        FreeTable, Key("Values for the placeholders of `user_prompt_template`.", "")
    ] = _NOTHING
    metadata: Annotated[
        FreeTable, Key("Anything else worth noting: author, license, tags.", "")
    ] = _NOTHING
