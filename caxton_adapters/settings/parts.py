"""What each part of the server is made from.

Apart from `values`, because the parts load asyncio and ssl, and a command that only reads the
settings needs neither.
"""

from decimal import Decimal
from pathlib import Path

from caxton_adapters.http_client import Timeouts
from caxton_adapters.providers.settings import (
    OPENAI_BASE_URL,
    OPENAI_MODEL,
    ProviderKind,
    ProviderSettings,
    ToolMode,
    Transport,
)
from caxton_adapters.rest.settings import LOOPBACK_HOSTS, RestSettings
from caxton_adapters.settings.primitives import FilePath
from caxton_adapters.settings.values import ConfiguredProvider, Settings
from caxton_adapters.settings.written import ProviderKind as WrittenKind
from caxton_adapters.settings.written import ProviderTable, TimeoutTable
from caxton_core.primitives import Count, ModelName, ProviderName

_EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound


def rest_settings(settings: Settings) -> RestSettings:
    """What the REST API allows; the server's own names are always among its hosts."""
    server, limits = settings.server, settings.limits
    own = () if server.host in _EVERY_ADDRESS else (_as_in_url(server.host),)
    return RestSettings(
        hosts=LOOPBACK_HOSTS.union(own, server.allowed_hosts),
        origins=frozenset(server.allowed_origins),
        token=server.token,
        max_body=server.max_body.value,
        max_connections=limits.connections.value,
        max_event_streams=limits.event_streams.value,
        messages_per_minute=limits.messages_per_minute.value,
        messages_at_once=limits.messages_at_once.value,
        costly_per_minute=limits.costly_per_minute.value,
        failed_logins_per_minute=limits.failed_logins_per_minute.value,
        request_timeout=limits.request_timeout.value,
        keep_alive=round(limits.keep_alive.value),
        drain_timeout=server.drain_timeout.value,
    )


def provider_settings(settings: Settings) -> tuple[ProviderSettings, ...]:
    """What the adapter of each provider is made from."""
    return tuple(_provider(name, one) for name, one in settings.providers.items())


def expanded(path: FilePath | None) -> Path | None:
    """The path with the user's home in place of `~`."""
    return None if path is None else Path(path.value).expanduser()


def _provider(name: ProviderName, configured: ConfiguredProvider) -> ProviderSettings:
    table = configured.table
    return ProviderSettings(
        name=name,
        kind=ProviderKind(table.kind.value),
        base_url=OPENAI_BASE_URL if table.base_url is None else table.base_url.value,
        api_key=configured.api_key,
        organization=table.organization,
        project=table.project,
        model=table.model or _usual_model(table),
        transport=Transport(table.transport.value),
        tools=ToolMode(table.tools.value),
        timeouts=_timeouts(table.timeouts),
        max_connections=table.max_connections.value,
        max_body=table.max_body.value,
        retries=table.retries.value,
        requests_per_minute=_number(table.requests_per_minute),
        tokens_per_minute=_number(table.tokens_per_minute),
        cost_per_day=None if table.cost_per_day is None else Decimal(str(table.cost_per_day)),
        model_path=expanded(table.model_path),
        model_url=None if table.model_url is None else table.model_url.value,
        checksum=None if table.checksum is None else table.checksum.value,
        scenario=expanded(table.scenario),
    )


def _usual_model(table: ProviderTable) -> ModelName | None:
    """What OpenAI itself is asked for; no other service has a model that is always there."""
    at_openai = table.kind is WrittenKind.OPENAI and table.base_url is None
    return OPENAI_MODEL if at_openai else None


def _timeouts(table: TimeoutTable) -> Timeouts:
    return Timeouts(
        connect=table.connect.value,
        first_byte=table.first_byte.value,
        idle=table.idle.value,
        total=table.total.value,
    )


def _number(count: Count | None) -> int | None:
    return None if count is None else count.value


def _as_in_url(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
