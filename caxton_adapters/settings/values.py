"""The settings of a server, complete; `parts` makes of them what each part needs."""

from collections.abc import Mapping
from pathlib import Path
from typing import final

from attrs import frozen

from caxton_adapters.mcp.approval import Approval
from caxton_adapters.mcp.registration import Registration
from caxton_adapters.process.certificate_place import CertificatePlace
from caxton_adapters.process.log import LogFormat, LogLevel
from caxton_adapters.process.policy_place import PolicyPlace
from caxton_adapters.process.server_process import Wanted
from caxton_adapters.secrets import Secret
from caxton_adapters.settings.written import (
    LimitTable,
    PermissionTable,
    ProviderTable,
    Synchronous,
)
from caxton_core.primitives import Duration, ProviderName, ServerName, Size


@final
@frozen(kw_only=True)
class ServerSettings:
    """`[server]`: where it answers, whom, and where it keeps what it knows.

    `allowed_hosts` and `allowed_origins` are what is allowed beside the server's own addresses.
    """

    host: str
    port: int
    data_dir: Path
    token: Secret | None
    token_source: str | None
    allowed_hosts: tuple[str, ...]
    allowed_origins: tuple[str, ...]
    certificate: CertificatePlace | None
    behind_proxy: bool
    unix_socket: Path | None
    max_body: Size
    drain_timeout: Duration


@final
@frozen(kw_only=True)
class StorageSettings:
    """`[storage]`: the file of the database, and what is kept; None keeps messages for ever."""

    database: Path
    synchronous: Synchronous
    keep_messages: Duration | None


@final
@frozen(kw_only=True)
class LoggingSettings:
    """`[logging]`: what is written, how, and where; no file means standard error."""

    level: LogLevel
    format: LogFormat
    file: Path | None


@final
@frozen(kw_only=True)
class ConfiguredProvider:
    """One provider: its table, and its key with the place where it was found."""

    table: ProviderTable
    api_key: Secret | None
    key_source: str | None


@final
@frozen(kw_only=True)
class Settings:
    """Everything that the operator decides; `default_provider` is absent where there is none."""

    server: ServerSettings
    limits: LimitTable
    storage: StorageSettings
    logging: LoggingSettings
    permissions: PermissionTable
    policy: PolicyPlace
    providers: Mapping[ProviderName, ConfiguredProvider]
    default_provider: ProviderName | None
    tool_servers: Mapping[ServerName, Registration]
    tool_lock: Path
    approval: Approval

    def secrets(self) -> tuple[Secret, ...]:
        """Every secret in the settings, for whatever must never show them."""
        keys = (provider.api_key for provider in self.providers.values())
        found = (secret for secret in (self.server.token, *keys) if secret is not None)
        of_tools = (text for server in self.tool_servers.values() for text in server.secrets())
        return (*found, *map(Secret, of_tools))

    def wanted(self) -> Wanted:
        """What the server asks of its machine."""
        return Wanted(
            host=self.server.host,
            port=self.server.port,
            directory=self.server.data_dir,
            token=self.server.token,
            certificate=self.server.certificate,
            behind_proxy=self.server.behind_proxy,
            unix_socket=self.server.unix_socket,
            log_file=self.logging.file,
            log_level=self.logging.level,
            log_format=self.logging.format,
            secrets=self.secrets(),
        )
