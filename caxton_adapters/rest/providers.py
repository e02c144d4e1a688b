"""The configured providers: what their models can do, and whether they answer."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar, final

import anyio
from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_adapters.rest.failures import of_model
from caxton_adapters.rest.problem import Refused, details
from caxton_adapters.rest.wire import ModelBody, ProviderBody, ProviderPage
from caxton_core.conversation.model import (
    Healthy,
    ModelCapabilities,
    ModelFailure,
    Phase,
    TimedOut,
)
from caxton_core.ports import Model
from caxton_core.primitives import ModelName, ProviderName

T = TypeVar("T")

_PATIENCE: Final = 5.0
_FRESH: Final = 10.0


@final
@frozen(kw_only=True)
class ListedProvider:
    """A provider as the API shows it; `port` gives whom to ask how it does."""

    name: ProviderName
    kind: str
    default: bool
    port: Callable[[], Model]
    base_url: str | None = None
    model: ModelName | None = None


@final
class Providers:
    """The resource `/providers`; what a provider said is shown for ten seconds."""

    def __init__(self, listed: Sequence[ListedProvider]) -> None:
        self._listed = {provider.name.value: provider for provider in listed}
        self._known: dict[str, tuple[float, ProviderBody]] = {}

    async def page(self, request_id: str) -> ProviderPage:
        """All providers, asked at the same time."""
        bodies: dict[str, ProviderBody] = {}

        async def ask(provider: ListedProvider) -> None:
            bodies[provider.name.value] = await self._asked(provider, request_id)

        async with anyio.create_task_group() as asking:
            for provider in self._listed.values():
                asking.start_soon(ask, provider)
        return ProviderPage(tuple(bodies[name] for name in self._listed))

    async def show(self, name: str, request_id: str) -> Result[ProviderBody, Refused]:
        """One provider."""
        provider = self._listed.get(name)
        if provider is None:
            known = ", ".join(self._listed) or "none"
            detail = f"No provider is called {name}; configured: {known}."
            return Failure(Refused(404, "CX4013", detail))
        return Success(await self._asked(provider, request_id))

    async def _asked(self, provider: ListedProvider, request_id: str) -> ProviderBody:
        now = anyio.current_time()
        made, body = self._known.get(provider.name.value, (-_FRESH, None))
        if body is None or now - made >= _FRESH:
            body = await _body(provider, request_id)
            self._known[provider.name.value] = now, body
        return body


async def _body(provider: ListedProvider, request_id: str) -> ProviderBody:
    health: Result[Healthy, ModelFailure] = _TOO_SLOW
    capabilities: Result[ModelCapabilities, ModelFailure] = _TOO_SLOW
    with anyio.move_on_after(_PATIENCE):
        port = provider.port()
        health = await port.health()
        capabilities = await port.capabilities(provider.model)
    return ProviderBody(
        name=provider.name.value,
        kind=provider.kind,
        default=provider.default,
        healthy=not isinstance(health, Failure),
        base_url=provider.base_url,
        model=None if provider.model is None else provider.model.value,
        models=() if isinstance(health, Failure) else health.unwrap().models,
        capabilities=None if isinstance(capabilities, Failure) else _model(capabilities.unwrap()),
        problem=details(of_model(health.failure()), request_id)
        if isinstance(health, Failure)
        else None,
    )


_TOO_SLOW: Final = Failure(TimedOut(Phase.TOTAL, _PATIENCE))


def _model(capabilities: ModelCapabilities) -> ModelBody:
    length = capabilities.context_length
    return ModelBody(
        capabilities.tools.value,
        tuple(sorted(feature.value for feature in capabilities.features)),
        None if length is None else length.value,
    )
