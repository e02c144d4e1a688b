"""The settings as an operator writes them: one class for each table of caxton.toml."""

from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Final, final

from attrs import field, frozen

from caxton_adapters.mcp.registration import McpTable
from caxton_adapters.settings.primitives import (
    BaseUrl,
    Checksum,
    EnvironmentName,
    FilePath,
    Host,
    MessageRate,
    Origin,
    Port,
    Retries,
    WrittenSecret,
)
from caxton_core.agent.sections import Permissions
from caxton_core.primitives import Count, Duration, ModelName, ProviderName, Size, Usd
from caxton_core.reading.keys import Key

_MIB: Final = 1024 * 1024


@final
class ProviderKind(Enum):
    """Which adapter speaks to a provider."""

    OPENAI = "openai"
    OPENAI_COMPATIBLE = "openai-compatible"
    SCRIPTED = "scripted"
    LOCAL = "local"


@final
class Transport(Enum):
    """What carries requests to an OpenAI-compatible provider."""

    LEAN = "lean"
    SDK = "sdk"


@final
class ToolMode(Enum):
    """How a provider's models are offered tools."""

    NATIVE = "native"
    EMULATED = "emulated"
    NONE = "none"
    DISCOVER = "discover"


@final
class Synchronous(Enum):
    """When what was stored is on the disk."""

    FULL = "full"
    NORMAL = "normal"


@final
class Level(Enum):
    """How much an event must matter to be logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@final
class Format(Enum):
    """How a line of the log looks."""

    AUTO = "auto"
    JSON = "json"
    TEXT = "text"


@final
@frozen
class ServerTable:
    """`[server]`: where the server answers, whom, and where it keeps what it knows."""

    host: Annotated[Host, Key("The address to listen at.", '"127.0.0.1"')] = Host("127.0.0.1")
    port: Annotated[Port, Key("The port to listen at; 0 takes a free one.", "8080")] = Port(8080)
    data_dir: Annotated[
        FilePath | None,
        Key(
            "Where agents and conversations are kept; one server for each directory.",
            '"/var/lib/caxton"',
            default="`$XDG_DATA_HOME/caxton`, usually `~/.local/share/caxton`",
        ),
    ] = None
    token: Annotated[
        WrittenSecret | None,
        Key("What every caller must show.", '"${CAXTON_API_TOKEN}"', default="no token"),
    ] = None
    allowed_hosts: Annotated[
        tuple[Host, ...],
        Key("Names under which the server is called, beside its own.", '["caxton.example.org"]'),
    ] = ()
    allowed_origins: Annotated[
        tuple[Origin, ...],
        Key("Web pages of other origins that may call the server.", '["https://example.org"]'),
    ] = ()
    tls_certificate: Annotated[
        FilePath | None,
        Key(
            "The certificate of the server, and those between it and its authority (PEM); with it "
            "and its key the server speaks https.",
            '"/etc/caxton/tls/fullchain.pem"',
            default="no certificate",
        ),
    ] = None
    tls_key: Annotated[
        FilePath | None,
        Key(
            "The key of the certificate (PEM, without a password); nobody but its owner, or the "
            "group of one that belongs to root, may be able to read it.",
            '"/etc/caxton/tls/key.pem"',
            default="no key",
        ),
    ] = None
    behind_proxy: Annotated[
        bool,
        Key(
            "Whether a proxy in front of the server speaks https with whoever calls from "
            "elsewhere. It changes nothing but that the server may listen there without a "
            "certificate of its own.",
            "true",
        ),
    ] = False
    unix_socket: Annotated[
        FilePath | None,
        Key(
            "A UNIX socket at which the server answers too, for its own user alone; a relative "
            "path begins in the data directory.",
            '"caxton.sock"',
            default="no socket",
        ),
    ] = None
    max_body: Annotated[Size, Key("The largest request.", '"1MB"')] = Size(_MIB)
    drain_timeout: Annotated[
        Duration, Key("How long a stopping server finishes its work.", '"30s"')
    ] = Duration(30)


@final
@frozen
class LimitTable:
    """`[limits]`: what clients may take of the server, and agents of the machine."""

    connections: Annotated[Count, Key("The most open connections.", "4096")] = Count(4096)
    event_streams: Annotated[Count, Key("The most open streams of events.", "64")] = Count(64)
    messages_per_minute: Annotated[
        MessageRate,
        Key(
            "The most messages in a minute, for each token that was given out without a rate of "
            "its own; 0 is no limit.",
            "60",
        ),
    ] = MessageRate(60)
    messages_at_once: Annotated[
        Count, Key("How many of a minute's messages a token may send at once.", "20")
    ] = Count(20)
    costly_per_minute: Annotated[
        Count,
        Key("The most deployments, imports and the like in a minute, for each token.", "1200"),
    ] = Count(1200)
    failed_logins_per_minute: Annotated[
        Count, Key("The most requests with a wrong token in a minute, from each address.", "60")
    ] = Count(60)
    request_timeout: Annotated[
        Duration, Key("How long a client may take to send a request.", '"20s"')
    ] = Duration(20)
    keep_alive: Annotated[Duration, Key("How long an unused connection stays open.", '"75s"')] = (
        Duration(75)
    )
    processes: Annotated[
        Count,
        Key(
            "The most living processes of agents; where more are needed, those end that have been "
            "idle longest, and messages wait.",
            "512",
        ),
    ] = Count(512)


@final
@frozen
class StorageTable:
    """`[storage]`: where the server keeps what must not be lost, and for how long."""

    database: Annotated[
        FilePath | None,
        Key(
            "The file of the database; a relative path begins in the data directory.",
            '"/srv/fast-disk/caxton.db"',
            default="`caxton.db` in the data directory",
        ),
    ] = None
    synchronous: Annotated[
        Synchronous,
        Key(
            "`full`: what was accepted survives a power loss. `normal` waits for the disk less "
            "often: the last moments before a power loss may be gone.",
            '"full"',
        ),
    ] = Synchronous.FULL
    keep_messages: Annotated[
        Duration | None,
        Key(
            "How long messages are kept after they ended.",
            '"90d"',
            default="for ever",
        ),
    ] = None


@final
@frozen
class PermissionTable(Permissions):
    """`[permissions]`: which calls of tools the server lets all its agents make."""

    timeout: Annotated[
        Duration, Key("How long a person who is asked about a call has for the answer.", '"1h"')
    ] = Duration(3600)


@final
@frozen
class LoggingTable:
    """`[logging]`: what the server writes about itself."""

    level: Annotated[Level, Key("The least that is written.", '"info"')] = Level.INFO
    format: Annotated[Format, Key("`auto` is text on a terminal and JSON elsewhere.", '"json"')] = (
        Format.AUTO
    )
    file: Annotated[
        FilePath | None,
        Key(
            "Where it is written.",
            '"/var/log/caxton.log"',
            default="standard error; a detached server's goes to `server.log` in its directory",
        ),
    ] = None


@final
@frozen
class TimeoutTable:
    """`[providers.NAME.timeouts]`: how long a call may wait at each of its stages."""

    connect: Annotated[Duration, Key("Until the connection stands.", '"5s"')] = Duration(5)
    first_byte: Annotated[Duration, Key("Until the answer begins.", '"30s"')] = Duration(30)
    idle: Annotated[Duration, Key("The longest silence within an answer.", '"30s"')] = Duration(30)
    total: Annotated[Duration, Key("Everything together.", '"10m"')] = Duration(600)


@final
@frozen
class ProviderTable:
    """`[providers.NAME]`: a service that answers for models."""

    kind: Annotated[ProviderKind, Key("Which adapter speaks to it.", '"openai-compatible"')] = (
        ProviderKind.OPENAI
    )
    base_url: Annotated[
        BaseUrl | None,
        Key(
            "The address of its API.",
            '"http://127.0.0.1:11434/v1"',
            default="`https://api.openai.com/v1`",
        ),
    ] = None
    api_key: Annotated[
        WrittenSecret | None,
        Key(
            "Its key; better kept in an environment variable, a file or the keyring.",
            '"${OPENAI_API_KEY}"',
            default="the first of the places that the provider guide lists",
        ),
    ] = None
    organization: Annotated[
        str | None, Key("OpenAI: the organization to bill.", '"org-1"', default="the key's")
    ] = None
    project: Annotated[
        str | None, Key("OpenAI: the project to bill.", '"proj-1"', default="the key's")
    ] = None
    model: Annotated[
        ModelName | None,
        Key(
            "The model of agents that name none.",
            '"gpt-4o"',
            default="`gpt-4o-mini` at OpenAI, none elsewhere",
        ),
    ] = None
    transport: Annotated[
        Transport, Key("`sdk` calls through the official client library.", '"lean"')
    ] = Transport.LEAN
    tools: Annotated[
        ToolMode, Key("How its models are offered tools; `discover` finds out.", '"discover"')
    ] = ToolMode.DISCOVER
    timeouts: Annotated[TimeoutTable, Key("How long a call may wait.", "{}")] = field(
        default=TimeoutTable()
    )
    max_connections: Annotated[Count, Key("The most open connections to it.", "100")] = Count(100)
    max_body: Annotated[Size, Key("The largest answer.", '"16MB"')] = Size(16 * _MIB)
    retries: Annotated[Retries, Key("How often a failed call is tried again.", "3")] = Retries(3)
    requests_per_minute: Annotated[
        Count | None, Key("The most calls in a minute.", "500", default="no limit")
    ] = None
    tokens_per_minute: Annotated[
        Count | None, Key("The most tokens in a minute.", "200000", default="no limit")
    ] = None
    cost_per_day: Annotated[
        Usd | None, Key("The most US dollars in any 24 hours.", "10.0", default="no limit")
    ] = None
    model_path: Annotated[
        FilePath | None,
        Key("local: the file with the model's weights.", '"~/models/m.gguf"', default="none"),
    ] = None
    model_url: Annotated[
        BaseUrl | None,
        Key(
            "local: where the weights are downloaded from, once; needs `checksum`.",
            '"https://example.org/m.gguf"',
            default="none",
        ),
    ] = None
    checksum: Annotated[
        Checksum | None,
        Key(
            "local: the SHA-256 of the weights.",
            '"b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"',
            default="none",
        ),
    ] = None
    scenario: Annotated[
        FilePath | None,
        Key("scripted: the file with the answers.", '"scenario.toml"', default="the built-in one"),
    ] = None


@final
@frozen
class PolicyTable:
    """`[policy]`: which rules the configurations of agents must obey."""

    file: Annotated[
        FilePath | None,
        Key(
            "The file of the policy; nobody but its owner and root may be able to write it.",
            '"/etc/caxton/policy.toml"',
            default="`/etc/caxton/policy.toml` where it exists, else the built-in policy",
        ),
    ] = None
    environment: Annotated[
        EnvironmentName | None,
        Key(
            "The table of `[environments]` in the policy that holds.",
            '"production"',
            default="none",
        ),
    ] = None


@final
@frozen
class SettingsFile:
    """A whole settings file; every key may be absent."""

    default_provider: Annotated[
        ProviderName | None,
        Key(
            "The provider of agents that name none.",
            '"openai"',
            default="`openai` if its key or address is in the environment, else the only one",
        ),
    ] = None
    server: Annotated[ServerTable, Key("The server.", "{}")] = ServerTable()
    limits: Annotated[LimitTable, Key("Limits.", "{}")] = LimitTable()
    storage: Annotated[StorageTable, Key("The storage.", "{}")] = StorageTable()
    logging: Annotated[LoggingTable, Key("The log.", "{}")] = LoggingTable()
    permissions: Annotated[
        PermissionTable,
        Key(
            "Calls of tools, over what agents' files say: both must agree. Without `allow` "
            "everything is allowed that is not denied or asked about.",
            "{}",
        ),
    ] = PermissionTable()
    policy: Annotated[PolicyTable, Key("The policy over agents.", "{}")] = PolicyTable()
    providers: Annotated[Mapping[str, ProviderTable], Key("The providers.", "{}")] = field(
        factory=dict
    )
    mcp: Annotated[McpTable, Key("Servers of tools.", "{}")] = field(default=McpTable())
