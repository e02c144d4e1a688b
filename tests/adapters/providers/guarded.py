"""A scripted model behind the guards, in a time that passes only when somebody waits."""

from datetime import UTC, datetime, timedelta
from typing import final

from attrs import define

from caxton_adapters.providers.breakers import Breakers
from caxton_adapters.providers.pricing import Pricing
from caxton_adapters.providers.quotas import Quotas
from caxton_adapters.providers.resilient import Chance, Guards, Resilient
from caxton_adapters.providers.scripted.model import Scripted
from caxton_adapters.providers.scripted.scenario import Scenario, read_scenario
from caxton_adapters.testing.model import streamed
from caxton_core.conversation.message import UserMessage
from caxton_core.conversation.model import ModelRequest
from caxton_core.limits import Limit
from caxton_core.ports import Answer
from caxton_core.primitives import ModelName, ProviderName
from caxton_core.resilience.retry import RetryPolicy

NAME = ProviderName("test")
MODEL = ModelName("some-model")
HELLO = ModelRequest((UserMessage("Hello"),), MODEL)


@final
@define
class StoppedClock:
    """A clock that goes on only by `sleep`, which remembers every wait."""

    slept: list[float]
    seconds: float = 1000.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


def scenario(text: str) -> Scenario:
    """A scenario that a test writes and that must be right."""
    return read_scenario(text).unwrap()  # type: ignore[union-attr] # raises where it is not


@final
class World:
    """One guarded model and everything that a test looks at or turns."""

    def __init__(
        self,
        script: str,
        *limits: Limit,
        pricing: Pricing | None = None,
        retries: int = 3,
        jitter: float = 0.5,
    ) -> None:
        self.clock = StoppedClock(slept=[])
        self.breakers = Breakers(NAME)
        self.quotas = Quotas(limits) if limits else None
        guards = Guards(self.breakers, self.quotas, pricing, RetryPolicy(most=retries))
        chance = Chance(self.clock, lambda: jitter, self.clock.sleep)
        self.model = Resilient(Scripted(NAME, scenario(script)), guards, chance, MODEL)

    async def ask(self, request: ModelRequest = HELLO, *, stream: bool = False) -> Answer:
        if stream:
            return (await streamed(self.model, request))[1]
        return await self.model.complete(request)
