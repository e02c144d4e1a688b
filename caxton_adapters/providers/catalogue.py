"""Every provider that the settings configure, as the runtime asks for them by name."""

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, final

import anyio
from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_adapters.health.provider import ProviderCondition
from caxton_adapters.providers.breakers import Breakers
from caxton_adapters.providers.emulation.model import WithTools
from caxton_adapters.providers.openai.model import openai_model
from caxton_adapters.providers.pricing import Lookup, Pricing, from_price_table
from caxton_adapters.providers.quotas import Quotas, limits_of
from caxton_adapters.providers.resilient import Chance, Guards, Resilient
from caxton_adapters.providers.scripted.model import Scripted
from caxton_adapters.providers.scripted.scenario import (
    Scenario,
    default_scenario,
    read_scenario,
)
from caxton_adapters.providers.settings import OPENAI_BASE_URL, ProviderKind, ProviderSettings
from caxton_core.conversation.model import (
    Healthy,
    ModelFailure,
    ModelRequest,
    Phase,
    ProviderUnknown,
    TimedOut,
)
from caxton_core.ports import Clock, Model
from caxton_core.primitives import ProviderName, Usd
from caxton_core.problems import Problems
from caxton_core.reading.report import human, report
from caxton_core.resilience.breaker import HalfOpen, Open
from caxton_core.resilience.retry import RetryPolicy

HEALTH_TIMEOUT = 15.0


class ClosableModel(Model, Protocol):
    """A model that holds something open."""

    async def aclose(self) -> None:
        """Let go of everything; nothing may be asked afterwards."""
        ...


@final
@frozen
class ScenarioRefused:
    """A provider's scenario cannot be played; `text` is the file's, for the report."""

    provider: ProviderName
    path: Path
    why: Problems | str
    text: str = ""

    @property
    def reason(self) -> str:
        """Why not, for a person."""
        if isinstance(self.why, str):
            return self.why
        return human(report(self.why, self.text, str(self.path)))


@final
@frozen
class Means:
    """What providers are built with; tests bring their own clock and prices."""

    clock: Clock
    jitter: Callable[[], float] = random.random
    lookup: Lookup = from_price_table


@final
@frozen
class _Provider:
    """One provider: what its callers get, and what stands behind it."""

    model: Resilient
    service: ClosableModel
    breakers: Breakers


@final
class Catalogue:
    """The configured providers; each is built when it is asked for the first time."""

    def __init__(
        self,
        settings: Sequence[ProviderSettings],
        scenarios: Mapping[ProviderName, Scenario],
        means: Means,
        default: ProviderName | None = None,
    ) -> None:
        self._settings = {provider.name: provider for provider in settings}
        self._scenarios = scenarios
        self._means = means
        self._default = default or next(iter(self._settings), None)
        self._built: dict[ProviderName, _Provider] = {}
        self._found: dict[ProviderName | None, Success[Model]] = {}

    @property
    def names(self) -> tuple[ProviderName, ...]:
        """The names of all providers, in the order of the settings."""
        return tuple(self._settings)

    @property
    def default(self) -> ProviderName | None:
        """The provider of agents that name none."""
        return self._default

    def settings(self, name: ProviderName) -> ProviderSettings | None:
        """What the operator decided about a provider."""
        return self._settings.get(name)

    def find(self, name: ProviderName | None) -> Result[Model, ProviderUnknown]:
        """The provider of this name; None finds the default one."""
        if name in self._found:
            return self._found[name]
        chosen = name or self._default
        if chosen is None or chosen not in self._settings:
            return Failure(ProviderUnknown(name, self.names))
        model: Model = self._provider(chosen).model
        self._found[name] = Success(model)
        return self._found[name]

    async def quote(self, name: ProviderName | None, request: ModelRequest) -> Usd | None:
        """The most that one call with this bounded request can cost; None where nobody knows."""
        chosen = name or self._default
        if chosen is None or chosen not in self._settings:
            return None
        return await self._provider(chosen).model.quote(request)

    def left_alone(self, name: ProviderName) -> tuple[tuple[str, Open | HalfOpen], ...]:
        """The models of a provider whose breakers are not closed now."""
        built = self._built.get(name)
        return () if built is None else built.breakers.not_closed()

    def condition(self, name: ProviderName) -> ProviderCondition:
        """A provider as its last real calls met it."""
        built = self._built.get(name)
        if built is None:
            return ProviderCondition()
        return ProviderCondition(built.model.failure, built.breakers.by_model())

    async def health(self) -> Mapping[ProviderName, Result[Healthy, ModelFailure]]:
        """Whether each provider is reachable and accepts our key; all are asked at once."""
        found: dict[ProviderName, Result[Healthy, ModelFailure]] = {}

        async def ask(name: ProviderName) -> None:
            with anyio.move_on_after(HEALTH_TIMEOUT):
                found[name] = await self._provider(name).model.health()
                return
            found[name] = Failure(TimedOut(Phase.TOTAL, HEALTH_TIMEOUT))

        async with anyio.create_task_group() as asking:
            for name in self._settings:
                asking.start_soon(ask, name)
        return {name: found[name] for name in self._settings}

    async def prepare(self) -> None:
        """Look up the prices of the models that the settings name, before anybody asks."""
        for name, settings in self._settings.items():
            if _is_paid(settings) and settings.model is not None:
                await self._provider(name).model.learn_price(settings.model)

    async def aclose(self) -> None:
        """Close every provider that was built."""
        built, self._built, self._found = self._built, {}, {}
        async with anyio.create_task_group() as closing:
            for provider in built.values():
                closing.start_soon(provider.service.aclose)

    def _provider(self, name: ProviderName) -> _Provider:
        if name not in self._built:
            self._built[name] = self._build(self._settings[name])
        return self._built[name]

    def _build(self, settings: ProviderSettings) -> _Provider:
        service = self._service(settings)
        breakers = Breakers(settings.name)
        limits = limits_of(settings)
        guards = Guards(
            breakers,
            Quotas(limits) if limits else None,
            Pricing(_priced_at(settings), self._means.lookup) if _is_paid(settings) else None,
            RetryPolicy(most=settings.retries),
        )
        chance = Chance(self._means.clock, self._means.jitter)
        model = Resilient(WithTools(service), guards, chance, settings.model)
        return _Provider(model, service, breakers)

    def _service(self, settings: ProviderSettings) -> ClosableModel:
        match settings.kind:
            case ProviderKind.OPENAI | ProviderKind.OPENAI_COMPATIBLE:
                return openai_model(settings)
            case ProviderKind.SCRIPTED:
                scenario = self._scenarios.get(settings.name) or default_scenario()
                return Scripted(settings.name, scenario)
            case ProviderKind.LOCAL:
                from caxton_adapters.providers.local.model import Local  # noqa: PLC0415 - if used

                return Local(settings)


def open_catalogue(
    settings: Sequence[ProviderSettings], means: Means, default: ProviderName | None = None
) -> Result[Catalogue, tuple[ScenarioRefused, ...]]:
    """Read the scenarios and make the catalogue, or tell which scenarios cannot be played."""
    read = scenarios_of(settings)
    return read.map(lambda scenarios: Catalogue(settings, scenarios, means, default))


def scenarios_of(
    settings: Sequence[ProviderSettings],
) -> Result[Mapping[ProviderName, Scenario], tuple[ScenarioRefused, ...]]:
    """The scenarios of the providers that have one, or those that cannot be played."""
    scenarios: dict[ProviderName, Scenario] = {}
    refused: list[ScenarioRefused] = []
    for provider in settings:
        if provider.kind is ProviderKind.SCRIPTED and provider.scenario is not None:
            read = _read(provider.name, provider.scenario)
            if isinstance(read, Failure):
                refused.append(read.failure())
            else:
                scenarios[provider.name] = read.unwrap()
    if refused:
        return Failure(tuple(refused))
    return Success(scenarios)


def _read(name: ProviderName, path: Path) -> Result[Scenario, ScenarioRefused]:
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        return Failure(ScenarioRefused(name, path, str(error)))
    scenario = read_scenario(text)
    if isinstance(scenario, Failure):
        return Failure(ScenarioRefused(name, path, scenario.failure(), text))
    return scenario


def _priced_at(settings: ProviderSettings) -> str:
    """The address whose prices count: OpenAI's also where a gateway stands before it."""
    return OPENAI_BASE_URL if settings.kind is ProviderKind.OPENAI else settings.base_url


def _is_paid(settings: ProviderSettings) -> bool:
    return settings.kind in (ProviderKind.OPENAI, ProviderKind.OPENAI_COMPATIBLE)
