"""What an operator decides about one model provider."""

from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import final

from attrs import field, frozen

from caxton_adapters.http_client import Timeouts, Url
from caxton_adapters.secrets import Secret
from caxton_core.primitives import ModelName, ProviderName

OPENAI_BASE_URL = "https://api.openai.com/v1"
OPENAI_MODEL = ModelName("gpt-4o-mini")
"""What answers at OpenAI where nobody names a model: a key alone is enough to begin."""
MEBIBYTE = 1024 * 1024


class ProviderKind(StrEnum):
    """Which adapter speaks to the provider."""

    OPENAI = "openai"
    OPENAI_COMPATIBLE = "openai-compatible"
    SCRIPTED = "scripted"
    LOCAL = "local"


class Transport(StrEnum):
    """What carries requests to an OpenAI-compatible provider."""

    LEAN = "lean"
    SDK = "sdk"


class ToolMode(StrEnum):
    """How a provider's models are offered tools."""

    NATIVE = "native"
    EMULATED = "emulated"
    NONE = "none"
    DISCOVER = "discover"


def _is_address(_: object, __: object, text: str) -> None:
    """Raise ValueError for what no request can be sent to."""
    Url.parse(text)


@final
@frozen(kw_only=True)
class ProviderSettings:
    """One `[providers.NAME]` table; money is in US dollars, sizes are in bytes."""

    name: ProviderName
    kind: ProviderKind = ProviderKind.OPENAI
    base_url: str = field(default=OPENAI_BASE_URL, validator=_is_address)
    api_key: Secret | None = None
    organization: str | None = None
    project: str | None = None
    model: ModelName | None = None
    transport: Transport = Transport.LEAN
    tools: ToolMode = ToolMode.DISCOVER
    timeouts: Timeouts = field(factory=Timeouts)
    max_connections: int = 100
    max_body: int = 16 * MEBIBYTE
    retries: int = 3
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    cost_per_day: Decimal | None = None
    model_path: Path | None = None
    model_url: str | None = None
    checksum: str | None = None
    scenario: Path | None = None
