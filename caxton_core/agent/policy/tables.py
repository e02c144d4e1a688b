"""The policy as its file holds it: one class for each table; defaults are the preset `default`."""

from collections.abc import Callable, Mapping
from typing import Annotated, Final, TypeVar, final

from attrs import field, frozen

from caxton_core.agent.policy.levels import Level, OnViolation, Preset
from caxton_core.agent.policy.patterns import TextPattern
from caxton_core.agent.policy.primitives import (
    ArgumentGlob,
    Directory,
    Entropy,
    HostGlob,
    LimitKey,
    NameGlob,
    PathName,
)
from caxton_core.agent.sections import Permissions
from caxton_core.primitives import (
    Cores,
    Count,
    Duration,
    PermissionRule,
    ServerName,
    Size,
    TokenCount,
    Usd,
)
from caxton_core.reading.keys import Distinct, Key

T = TypeVar("T")

_ERROR: Final = Level.ERROR
_WARNING: Final = Level.WARNING
_OFF: Final = Level.OFF


def _each(kind: Callable[[str], T], *texts: str) -> tuple[T, ...]:
    return tuple(map(kind, texts))


@final
@frozen
class SecretRules:
    """`[secrets]`: what looks like a secret, beyond the forms that are errors in any case."""

    random: Annotated[
        Level, Key("CX1321: a long word that looks random, in prose too.", '"error"')
    ] = _ERROR
    entropy: Annotated[
        Entropy, Key("The bits for each letter from which a word counts as random.", "4.2")
    ] = Entropy(4.2)
    shortest: Annotated[Count, Key("The letters from which a word is looked at.", "32")] = Count(32)
    passwords: Annotated[
        Level,
        Key("CX1322: a password, a connection string, an authorization header.", '"error"'),
    ] = _ERROR
    keys: Annotated[Level, Key("CX1323: a block of key material.", '"error"')] = _ERROR


@final
@frozen
class ToolRules:
    """`[tools]`: which tools agents list, and how widely they permit them."""

    wildcards: Annotated[
        Level,
        Key("CX1324: `server.*` in tools or allow, beyond the trusted servers.", '"warning"'),
    ] = _WARNING
    trusted: Annotated[
        tuple[ServerName, ...],
        Distinct(200),
        Key("Servers of which all tools may be named at once.", '["memory"]'),
    ] = (ServerName("memory"),)
    unconditional: Annotated[
        Level, Key("CX1325: a sensitive tool allowed without a condition.", '"error"')
    ] = _ERROR
    sensitive: Annotated[
        tuple[NameGlob, ...],
        Distinct(500),
        Key("Tools whose every call deserves a condition or a person.", '["shell.*", "*.delete*"]'),
    ] = _each(
        NameGlob,
        "shell.*",
        "bash.*",
        "terminal.*",
        "*.exec",
        "*.exec_*",
        "*.execute*",
        "*.eval",
        "*.eval_*",
        "*.run_command*",
        "*.run_shell*",
        "*.run_script*",
        "*.shell*",
        "*.delete*",
        "*.drop",
        "*.drop_*",
        "*.transfer*",
        "*.pay",
        "*.make_payment*",
        "*.send_money*",
    )
    missing_deny: Annotated[
        Level, Key("CX1326: an agent that does not deny what it must.", '"error"')
    ] = _ERROR
    deny: Annotated[
        tuple[PermissionRule, ...],
        Distinct(200),
        Key(
            "What agents with such tools must deny themselves, in so many words.",
            '["files.*:path=/etc/**"]',
        ),
    ] = ()
    forbidden: Annotated[
        Level, Key("CX1327: a tool that agents may not list or allow.", '"error"')
    ] = _ERROR
    never: Annotated[
        tuple[NameGlob, ...], Distinct(500), Key("Tools that no agent may have.", '["admin.*"]')
    ] = ()
    only: Annotated[
        tuple[NameGlob, ...],
        Distinct(500),
        Key("The tools that agents may have.", '["files.*", "search.*"]', default="all"),
    ] = ()
    unknown_servers: Annotated[
        Level, Key("CX1328: a server that is not registered.", '"warning"')
    ] = _WARNING
    unknown_tools: Annotated[
        Level, Key("CX1329: a tool that its server does not have.", '"warning"')
    ] = _WARNING


@final
@frozen
class LimitRules:
    """`[limits]`: what agents must limit, and how far their limits may go."""

    missing: Annotated[Level, Key("CX1330: a required limit is absent.", '"error"')] = _ERROR
    required: Annotated[
        tuple[LimitKey, ...],
        Distinct(20),
        Key("Limits that every agent must write.", '["budget.tokens_per_day"]'),
    ] = ()
    excessive: Annotated[Level, Key("CX1331: a value above its bound.", '"error"')] = _ERROR
    max_tokens: Annotated[
        TokenCount | None, Key("Bound of llm.max_tokens.", "8000", default="no bound")
    ] = TokenCount(200_000)
    tokens_per_turn: Annotated[
        TokenCount | None, Key("Bound of budget.tokens_per_turn.", "100000", default="no bound")
    ] = TokenCount(5_000_000)
    tokens_per_day: Annotated[
        TokenCount | None, Key("Bound of budget.tokens_per_day.", "5000000", default="no bound")
    ] = TokenCount(500_000_000)
    cost_per_day: Annotated[
        Usd | None, Key("Bound of budget.cost_per_day, in US dollars.", "50.0", default="no bound")
    ] = Usd(1_000 * 10**9)
    context_window: Annotated[
        TokenCount | None, Key("Bound of conversation.context_window.", "32000", default="no bound")
    ] = TokenCount(2_000_000)
    max_turns: Annotated[
        Count | None, Key("Bound of conversation.max_turns.", "200", default="no bound")
    ] = Count(10_000)
    max_tool_rounds: Annotated[
        Count | None, Key("Bound of resources.max_tool_rounds.", "32", default="no bound")
    ] = Count(200)
    turn_timeout: Annotated[
        Duration | None, Key("Bound of resources.turn_timeout.", '"5m"', default="no bound")
    ] = Duration(3600)
    tool_timeout: Annotated[
        Duration | None, Key("Bound of resources.tool_timeout.", '"60s"', default="no bound")
    ] = Duration(1800)
    model_timeout: Annotated[
        Duration | None, Key("Bound of llm.timeout.", '"2m"', default="no bound")
    ] = Duration(1800)
    mailbox: Annotated[
        Count | None, Key("Bound of resources.mailbox.", "1000", default="no bound")
    ] = Count(100_000)
    max_concurrent_turns: Annotated[
        Count | None, Key("Bound of resources.max_concurrent_turns.", "64", default="no bound")
    ] = Count(1_000)
    max_memory: Annotated[
        Size | None, Key("Bound of resources.max_memory.", '"512MB"', default="no bound")
    ] = Size(64 << 30)
    max_cpu: Annotated[
        Cores | None, Key("Bound of resources.max_cpu.", "2.0", default="no bound")
    ] = Cores(64)
    retention: Annotated[
        Duration | None, Key("Bound of memory.retention.", '"90d"', default="no bound")
    ] = Duration(3650 * 86400)
    max_entries: Annotated[
        Count | None, Key("Bound of memory.max_entries.", "10000", default="no bound")
    ] = Count(1_000_000)
    machine: Annotated[
        Level, Key("CX1332: more memory or processors than the machine has.", '"error"')
    ] = _ERROR


@final
@frozen
class IsolationRules:
    """`[isolation]`: whether agents may share a process."""

    shared_process: Annotated[
        Level, Key("CX1333: an agent that runs as a task of the server.", '"warning"')
    ] = _WARNING


@final
@frozen
class ProviderRules:
    """`[providers]`: who may answer for agents, fall-backs included."""

    unknown: Annotated[Level, Key("CX1334: a provider that is not configured.", '"warning"')] = (
        _WARNING
    )
    forbidden: Annotated[Level, Key("CX1335: a provider that may not be asked.", '"error"')] = (
        _ERROR
    )
    only: Annotated[
        tuple[NameGlob, ...],
        Distinct(200),
        Key("The providers that agents may name.", '["openai", "local*"]', default="all"),
    ] = ()
    never: Annotated[
        tuple[NameGlob, ...], Distinct(200), Key("Providers that no agent may name.", '["play"]')
    ] = ()


@final
@frozen
class ModelRules:
    """`[models]`: which models agents may ask for; a name, or `provider/name`."""

    forbidden: Annotated[Level, Key("CX1336: a model that may not be asked.", '"error"')] = _ERROR
    only: Annotated[
        tuple[NameGlob, ...],
        Distinct(200),
        Key("The models that agents may name.", '["gpt-4o*", "local/llama*"]', default="all"),
    ] = ()
    never: Annotated[
        tuple[NameGlob, ...], Distinct(200), Key("Models that no agent may name.", '["*preview*"]')
    ] = ()


@final
@frozen
class AccessRules:
    """`[access]`: what the conditions in `[permissions] allow` may let tools reach."""

    files: Annotated[
        Level, Key("CX1337: a path beyond the folders that tools may reach.", '"error"')
    ] = _ERROR
    directories: Annotated[
        tuple[Directory, ...],
        Distinct(200),
        Key("The folders that tools may reach.", '["/srv/reports"]', default="all"),
    ] = ()
    secret_paths: Annotated[
        tuple[PathName, ...],
        Distinct(500),
        Key("Paths, and names anywhere in a path, that no tool may reach.", '["/etc", ".ssh"]'),
    ] = _each(
        PathName,
        "/etc",
        "/proc",
        "/sys",
        "/dev",
        "/boot",
        "/root",
        "/run",
        "/var/run",
        "/var/lib",
        ".ssh",
        ".aws",
        ".gnupg",
        ".kube",
        ".docker",
        ".netrc",
        ".env*",
        "id_rsa*",
        "id_ed25519*",
        "*.pem",
        "*.key",
    )
    path_arguments: Annotated[
        tuple[ArgumentGlob, ...],
        Distinct(100),
        Key("Arguments of tools that hold a path.", '["path", "*_path"]'),
    ] = _each(
        ArgumentGlob,
        "path",
        "*_path",
        "paths",
        "file",
        "*_file",
        "filename",
        "dir",
        "directory",
        "folder",
        "root",
        "cwd",
        "source",
        "destination",
    )
    network: Annotated[
        Level, Key("CX1338: an address beyond the hosts that tools may reach.", '"error"')
    ] = _ERROR
    hosts: Annotated[
        tuple[HostGlob, ...],
        Distinct(200),
        Key("The hosts that tools may reach.", '["*.example.org"]', default="all"),
    ] = ()
    secret_hosts: Annotated[
        tuple[HostGlob, ...],
        Distinct(200),
        Key("Hosts that no tool may reach.", '["169.254.169.254", "10.*"]'),
    ] = _each(
        HostGlob,
        "169.254.*",
        "metadata.google.internal",
        "*.internal",
        "localhost",
        "*.localhost",
        "127.*",
        "0.*",
        "10.*",
        "192.168.*",
        *(f"172.{number}.*" for number in range(16, 32)),
        "[::1]",
        "[::]",
        "[fd00:ec2::254]",
    )
    url_arguments: Annotated[
        tuple[ArgumentGlob, ...],
        Distinct(100),
        Key("Arguments of tools that hold an address.", '["url", "*_url"]'),
    ] = _each(ArgumentGlob, "url", "*_url", "urls", "uri", "*_uri", "href", "endpoint", "host")
    unconditional: Annotated[
        Level,
        Key(
            "CX1339: a tool that takes paths or addresses, allowed without a condition on them; "
            "where `directories` or `hosts` are listed.",
            '"error"',
        ),
    ] = _ERROR
    tools: Annotated[
        tuple[NameGlob, ...],
        Distinct(200),
        Key(
            "Tools that reach files or the network, where their definitions are not known.",
            '["files*.*", "fetch.*"]',
        ),
    ] = _each(NameGlob, "file*.*", "fs.*", "git.*", "fetch*.*", "http*.*", "web*.*", "browser*.*")


@final
@frozen
class PromptRules:
    """`[prompts]`: what the texts that a model reads may not say."""

    override: Annotated[Level, Key("CX1340: telling the model to ignore rules.", '"error"')] = (
        _ERROR
    )
    exfiltrate: Annotated[
        Level, Key("CX1341: telling the model to pass on secrets.", '"error"')
    ] = _ERROR
    conceal: Annotated[Level, Key("CX1342: telling the model to hide what it does.", '"error"')] = (
        _ERROR
    )
    invisible: Annotated[Level, Key("CX1343: characters that people do not see.", '"error"')] = (
        _ERROR
    )
    lookalikes: Annotated[
        Level, Key("CX1344: a word whose letters come from several alphabets.", '"error"')
    ] = _ERROR
    long_lines: Annotated[Level, Key("CX1345: a line longer than people read.", '"error"')] = _ERROR
    longest_line: Annotated[Count, Key("The most characters of a line.", "4000")] = Count(8000)
    encoded: Annotated[
        Level, Key("CX1346: a text in a code that people do not read.", '"error"')
    ] = _ERROR
    longest_word: Annotated[
        Count, Key("The letters from which a word of base64 or hex counts as a text.", "120")
    ] = Count(120)
    patterns: Annotated[
        Level, Key("CX1347: a text that the operator's own patterns find.", '"error"')
    ] = _ERROR
    never: Annotated[
        tuple[TextPattern, ...],
        Distinct(50),
        Key("Patterns of texts that no prompt may hold.", '["codename (blue|red)"]'),
    ] = ()


@final
@frozen
class SharingRules:
    """`[sharing]`: what agents may share of what people tell them."""

    memory: Annotated[
        Level, Key("CX1348: storing every exchange where all agents read it.", '"error"')
    ] = _ERROR
    conversations: Annotated[Level, Key("CX1349: conversations that agents share.", '"off"')] = _OFF


@frozen
class Policy:
    """What an installation allows its agents."""

    preset: Annotated[
        Preset, Key("The levels and bounds that hold where nothing else is written.", '"default"')
    ] = Preset.DEFAULT
    on_violation: Annotated[
        OnViolation,
        Key(
            "What becomes of running agents that do not conform to a policy that was reloaded.",
            '"report"',
        ),
    ] = OnViolation.REPORT
    secrets: Annotated[SecretRules, Key("Secrets in agent files.", "")] = SecretRules()
    tools: Annotated[ToolRules, Key("Tools and their permissions.", "")] = ToolRules()
    limits: Annotated[LimitRules, Key("Limits and budgets.", "")] = LimitRules()
    isolation: Annotated[IsolationRules, Key("Processes.", "")] = IsolationRules()
    providers: Annotated[ProviderRules, Key("Providers.", "")] = ProviderRules()
    models: Annotated[ModelRules, Key("Models.", "")] = ModelRules()
    access: Annotated[AccessRules, Key("Files and hosts.", "")] = AccessRules()
    prompts: Annotated[PromptRules, Key("Prompts.", "")] = PromptRules()
    sharing: Annotated[SharingRules, Key("Memory and conversations.", "")] = SharingRules()
    permissions: Annotated[
        Permissions,
        Key(
            "Which tool calls any agent may make; where `allow` is not written, all that is "
            "neither denied nor asked about.",
            "",
        ),
    ] = Permissions()


@final
@frozen
class PolicyFile(Policy):
    """A whole policy file: the policy, and what differs in each environment."""

    environments: Annotated[
        Mapping[str, Policy],
        Key("What holds instead where this environment is chosen.", ""),
    ] = field(factory=dict)
