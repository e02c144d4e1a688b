"""From the written settings to the complete ones: keys found, defaults decided, rules checked."""

from collections.abc import Mapping
from pathlib import Path as FilesystemPath
from typing import Final

from returns.result import Failure, Result, Success

from caxton_adapters.key_sources import FoundSecret, SecretPlace, UnreadableSecret, find_secret
from caxton_adapters.mcp.approval import LOCK_NAME
from caxton_adapters.mcp.registration import (
    McpTable,
    Registration,
    broken_rules,
    remembering,
)
from caxton_adapters.process.certificate_place import CertificatePlace
from caxton_adapters.process.log import LogFormat, LogLevel
from caxton_adapters.process.policy_place import PolicyPlace
from caxton_adapters.setting_values import Substituted
from caxton_adapters.settings.primitives import BaseUrl, FilePath, WrittenSecret
from caxton_adapters.settings.stating import stated
from caxton_adapters.settings.values import (
    ConfiguredProvider,
    LoggingSettings,
    ServerSettings,
    Settings,
    StorageSettings,
)
from caxton_adapters.settings.written import (
    LoggingTable,
    PolicyTable,
    ProviderKind,
    ProviderTable,
    ServerTable,
    SettingsFile,
    StorageTable,
)
from caxton_core.primitives import ProviderName, ServerName
from caxton_core.problems import Path, Problem, Problems, Stated
from caxton_core.reading.nearest import nearest

SECRET_UNREADABLE: Final = "CX2202"  # noqa: S105 - a code
UNKNOWN_PROVIDER: Final = "CX2203"
MISSING_BASE_URL: Final = "CX2204"
HALF_A_PAIR: Final = "CX2205"

DATABASE: Final = "caxton.db"
OPENAI: Final = ProviderName("openai")
_NONE: Final[Mapping[Path, Substituted]] = {}
_KEY = "OPENAI_API_KEY"
_ADDRESS = "OPENAI_BASE_URL"


def built(
    written: SettingsFile,
    environ: Mapping[str, str],
    default_data_dir: FilesystemPath,
    usual_policy: str = "",
    substituted: Mapping[Path, Substituted] = _NONE,
) -> Result[Settings, Problems]:
    """The complete settings, or every rule that they break."""
    problems: list[Problem] = []
    token = _secret(
        ("server", "token"),
        SecretPlace("CAXTON_API_TOKEN", "caxton-api-token", _revealed(written.server.token)),
        environ,
        problems,
        keyring=False,
    )
    providers = {
        name: _configured(name, table, environ, problems)
        for name, table in _providers(written, environ, problems).items()
    }
    default = _default_provider(written, providers, environ, problems)
    tool_servers = _tool_servers(written.mcp.servers, substituted, problems)
    certificate = _certificate(written.server, problems)
    if problems:
        return Failure((problems[0], *problems[1:]))
    server = _server(written.server, token, certificate, default_data_dir)
    return Success(
        Settings(
            server=server,
            limits=written.limits,
            storage=_storage(written.storage, server.data_dir),
            logging=_logging(written.logging),
            permissions=written.permissions,
            policy=_policy(written.policy, usual_policy),
            providers=providers,
            default_provider=default,
            tool_servers=tool_servers,
            tool_lock=_tool_lock(written.mcp, server.data_dir),
            approval=written.mcp.approve,
        )
    )


def _server(
    table: ServerTable,
    token: FoundSecret | None,
    certificate: CertificatePlace | None,
    default_data_dir: FilesystemPath,
) -> ServerSettings:
    written = default_data_dir if table.data_dir is None else table.data_dir.value
    data_dir = FilesystemPath(written).expanduser().absolute()
    unix_socket = table.unix_socket
    return ServerSettings(
        host=table.host.value.strip("[]"),
        port=table.port.value,
        data_dir=data_dir,
        token=None if token is None else token.secret,
        token_source=None if token is None else token.source,
        allowed_hosts=tuple(host.value for host in table.allowed_hosts),
        allowed_origins=tuple(origin.value for origin in table.allowed_origins),
        certificate=certificate,
        behind_proxy=table.behind_proxy,
        unix_socket=None
        if unix_socket is None
        else data_dir / FilesystemPath(unix_socket.value).expanduser(),
        max_body=table.max_body,
        drain_timeout=table.drain_timeout,
    )


def _certificate(table: ServerTable, problems: list[Problem]) -> CertificatePlace | None:
    certificate, key = table.tls_certificate, table.tls_key
    if certificate is not None and key is not None:
        return CertificatePlace(_place_of(certificate), _place_of(key))
    for written, present, absent in (
        (certificate, "tls_certificate", "tls_key"),
        (key, "tls_key", "tls_certificate"),
    ):
        if written is not None:
            half = stated(HALF_A_PAIR, present=present, absent=absent)
            problems.append(Problem(("server", present), half))
    return None


def _place_of(path: FilePath) -> FilesystemPath:
    """Where it is wanted: a path begins where the server does, beside its settings."""
    return FilesystemPath(path.value).expanduser().absolute()


def _storage(table: StorageTable, data_dir: FilesystemPath) -> StorageSettings:
    name = DATABASE if table.database is None else table.database.value
    return StorageSettings(
        database=data_dir / FilesystemPath(name).expanduser(),
        synchronous=table.synchronous,
        keep_messages=table.keep_messages,
    )


def _logging(table: LoggingTable) -> LoggingSettings:
    return LoggingSettings(
        level=LogLevel[table.level.name],
        format=LogFormat(table.format.value),
        file=None if table.file is None else FilesystemPath(table.file.value).expanduser(),
    )


def _policy(table: PolicyTable, usual: str) -> PolicyPlace:
    environment = None if table.environment is None else table.environment.value
    if table.file is not None:
        return PolicyPlace(_place_of(table.file), environment)
    path_or_none = FilesystemPath(usual).absolute() if usual else None
    return PolicyPlace(path_or_none, environment, named=False)


def _providers(
    written: SettingsFile, environ: Mapping[str, str], problems: list[Problem]
) -> dict[ProviderName, ProviderTable]:
    """The providers of the files; the environment of OpenAI's own tools adds one named openai."""
    tables: dict[ProviderName, ProviderTable] = {}
    for text, table in written.providers.items():
        name = ProviderName.parse(text)
        if isinstance(name, Failure):
            problems.append(Problem(("providers", text), name.failure()))
        else:
            tables[name.unwrap()] = table
    if OPENAI not in tables and _names_openai(environ):
        tables[OPENAI] = _openai_of(environ, problems)
    return tables


def _openai_of(environ: Mapping[str, str], problems: list[Problem]) -> ProviderTable:
    if not environ.get(_ADDRESS):
        return ProviderTable()
    address = BaseUrl.parse(environ[_ADDRESS])
    if isinstance(address, Failure):
        problems.append(Problem(("providers", OPENAI.value, "base_url"), address.failure()))
        return ProviderTable()
    return ProviderTable(kind=ProviderKind.OPENAI_COMPATIBLE, base_url=address.unwrap())


def _tool_servers(
    tables: Mapping[str, Registration],
    substituted: Mapping[Path, Substituted],
    problems: list[Problem],
) -> dict[ServerName, Registration]:
    """The registered servers of tools, as far as their names and rules allow."""
    found: dict[ServerName, Registration] = {}
    for text, table in tables.items():
        at, name = ("mcp", "servers", text), ServerName.parse(text)
        if isinstance(name, Failure):
            problems.append(Problem(at, name.failure()))
            continue
        broken = broken_rules(text, table, tables)
        problems += (Problem((*at, *problem.at), problem.what) for problem in broken)
        own = {path[3:]: each for path, each in substituted.items() if path[:3] == at}
        found[name.unwrap()] = remembering(table, own)
    return found


def _tool_lock(table: McpTable, data_dir: FilesystemPath) -> FilesystemPath:
    return data_dir / LOCK_NAME if table.lock is None else _place_of(table.lock)


def _names_openai(environ: Mapping[str, str]) -> bool:
    return any(environ.get(name) for name in (_KEY, f"{_KEY}_FILE", _ADDRESS))


def _configured(
    name: ProviderName,
    table: ProviderTable,
    environ: Mapping[str, str],
    problems: list[Problem],
) -> ConfiguredProvider:
    at = ("providers", name.value)
    if table.kind is ProviderKind.OPENAI_COMPATIBLE and table.base_url is None:
        problems.append(Problem(at, stated(MISSING_BASE_URL)))
    place = SecretPlace(
        key_variable(name, table), f"{name.value}-api-key", _revealed(table.api_key)
    )
    takes_key = table.kind in (ProviderKind.OPENAI, ProviderKind.OPENAI_COMPATIBLE)
    # Asking the keyring loads a tenth of a second of libraries; a service on this machine
    # (plain http) needs no key.
    keyring = table.base_url is None or table.base_url.value.startswith("https://")
    found = (
        _secret((*at, "api_key"), place, environ, problems, keyring=keyring) if takes_key else None
    )
    return ConfiguredProvider(
        table=table,
        api_key=None if found is None else found.secret,
        key_source=None if found is None else found.source,
    )


def _revealed(secret: WrittenSecret | None) -> str | None:
    return None if secret is None else secret.value


def key_variable(name: ProviderName, table: ProviderTable) -> str:
    """The environment variable of a provider's key.

    OPENAI_API_KEY is OpenAI's own: only the provider named openai, and one that has OpenAI's
    address, may send it; any other service gets a key that was meant for it.
    """
    if name == OPENAI or (table.kind is ProviderKind.OPENAI and table.base_url is None):
        return _KEY
    return f"{name.value.upper().replace('-', '_')}_API_KEY"


def _secret(
    at: tuple[str, ...],
    place: SecretPlace,
    environ: Mapping[str, str],
    problems: list[Problem],
    *,
    keyring: bool,
) -> FoundSecret | None:
    found = find_secret(place, environ, keyring=keyring)
    if isinstance(found, Failure):
        problems.append(Problem(at, _unreadable(found.failure())))
        return None
    return found.unwrap()


def _default_provider(
    written: SettingsFile,
    providers: Mapping[ProviderName, ConfiguredProvider],
    environ: Mapping[str, str],
    problems: list[Problem],
) -> ProviderName | None:
    chosen = written.default_provider
    if chosen is not None and chosen not in providers:
        problems.append(Problem(("default_provider",), _unknown_provider(chosen, providers)))
    if chosen is not None:
        return chosen
    if OPENAI in providers and _names_openai(environ):
        return OPENAI
    return next(iter(providers)) if len(providers) == 1 else None


def _unreadable(secret: UnreadableSecret) -> Stated:
    return stated(
        SECRET_UNREADABLE, named_by=secret.named_by, path=secret.path, reason=secret.reason
    )


def _unknown_provider(
    name: ProviderName, providers: Mapping[ProviderName, ConfiguredProvider]
) -> Stated:
    known = [provider.value for provider in providers]
    meant = nearest(name.value, known)
    shown = ", ".join(known) or "none"
    return stated(UNKNOWN_PROVIDER, meant, name=name.value, known=shown)
