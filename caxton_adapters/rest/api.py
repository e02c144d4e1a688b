"""The parts of the API put together: the front, what is behind it, and how they end."""

from collections.abc import Callable, Sequence
from typing import Final, final

import anyio
from anyio import to_thread

from caxton_adapters.auth.store import InMemoryTokens
from caxton_adapters.auth.tokens import Tokens
from caxton_adapters.health.component import Part
from caxton_adapters.health.work import CpuShares
from caxton_adapters.rest.agents import Agents
from caxton_adapters.rest.approvals import Approvals
from caxton_adapters.rest.audit import Audited, AuditLog, not_audited
from caxton_adapters.rest.capabilities import Capabilities
from caxton_adapters.rest.conversations import Conversations
from caxton_adapters.rest.events import Events
from caxton_adapters.rest.exchange import Answer, Answered, Application, Asked
from caxton_adapters.rest.front import Front, HotRoutes
from caxton_adapters.rest.guard import Guard
from caxton_adapters.rest.health import HealthChecks
from caxton_adapters.rest.memory import Memories
from caxton_adapters.rest.message_rates import MessageRates
from caxton_adapters.rest.messages import Messages
from caxton_adapters.rest.policies import Policies, ReadAgain
from caxton_adapters.rest.providers import ListedProvider, Providers
from caxton_adapters.rest.settings import RestSettings
from caxton_adapters.rest.tokens import HeldTokens
from caxton_adapters.rest.tools import ToolResources
from caxton_adapters.runtime.archive import Archive
from caxton_adapters.runtime.feed import EventFeed
from caxton_adapters.runtime.runtime import Runtime
from caxton_adapters.runtime.toolbox import ToolServers
from caxton_core.ports import MemoryStore

_GRACE: Final = 0.9
"""The part of the drain's time that messages get; the rest is for telling who still waits."""
_TO_PAGE: Final = Answer(307, headers=((b"location", b"/schema"),))


@final
class RestApi:
    """The API of one runtime; `application` is what the server runs.

    `parts` tell how the server does beside its agents and messages; `started` says whether what
    an earlier run left is taken up again. `watch` runs beside the server.
    """

    def __init__(  # noqa: PLR0913 - everything that the API is put together from
        self,
        runtime: Runtime,
        feed: EventFeed,
        providers: Sequence[ListedProvider],
        settings: RestSettings,
        parts: Sequence[Part] = (),
        started: Callable[[], bool] = lambda: True,
        *,
        memory: MemoryStore | None = None,
        toolbox: ToolServers | None = None,
        policy: ReadAgain | None = None,
        tokens: Tokens | None = None,
        log: AuditLog | None = None,
    ) -> None:
        now = runtime.world.clock.now
        tokens = tokens or Tokens(settings.token, InMemoryTokens(), now)
        guard = Guard(settings, tokens)
        self._runtime = runtime
        self._feed = feed
        self._drain_timeout = settings.drain_timeout
        self._capabilities = Capabilities(runtime)
        self._conversations = Conversations(Archive(runtime))
        self._events = Events(feed, settings.max_event_streams, settings.heartbeat)
        self._health = HealthChecks(runtime, guard, parts, started)
        self._agents = Agents(runtime, self._health.cpu_shares.of)
        rates = MessageRates(
            settings.messages_per_minute, settings.messages_at_once, runtime.world.clock.monotonic
        )
        self._messages = Messages(runtime, rates, heartbeat=settings.heartbeat)
        self._providers = Providers(providers)
        self._memories = Memories(runtime, runtime.world.clock, memory)
        self._tools = ToolResources(runtime, toolbox, log)
        self._policies = Policies(runtime, policy)
        self._tokens = HeldTokens(tokens, now)
        self._loading = anyio.Lock()
        self._management: Application | None = None
        audit = not_audited if log is None else Audited(log)
        self.application = Front(settings, guard, self._hot_routes(), self.management, audit)

    async def management(self) -> Application:
        """The application behind the front, loaded at the first call.

        It is loaded in a thread, so that hot routes are answered meanwhile.
        """
        if self._management is None:
            async with self._loading:
                if self._management is None:
                    self._management = await to_thread.run_sync(self._load)
        return self._management

    async def watch(self) -> None:
        """Keep an eye on how the server does, until cancelled."""
        await self._health.watch()

    def look(self) -> None:
        """Look how the server does at once: something has changed."""
        self._health.look()

    @property
    def cpu_shares(self) -> CpuShares:
        """How much of a processor each agent has."""
        return self._health.cpu_shares

    async def drain(self) -> None:
        """Refuse new work, let listeners go, and wait for messages at work."""
        self._health.drain()
        self._messages.draining = True
        self._feed.end()
        try:
            await self._runtime.drain(self._drain_timeout * _GRACE)
        finally:
            # Whoever waits is told at least that the server goes: that takes no time worth naming.
            with anyio.CancelScope(shield=True):
                await self._runtime.supervisor.close()

    def _hot_routes(self) -> HotRoutes:
        messages, health = self._messages, self._health
        return HotRoutes(
            exact={
                "/": {"GET": _to_page},
                "/health": {"GET": health.whole},
                "/health/live": {"GET": health.live},
                "/health/ready": {"GET": health.ready},
                "/health/startup": {"GET": health.startup},
            },
            around={
                ("/agents/", "/message"): {"POST": messages.send},
                ("/capabilities/", "/message"): {"POST": messages.send_by_capability},
                ("/messages/", ""): {"GET": messages.show, "DELETE": messages.cancel},
            },
        )

    def _load(self) -> Application:
        # Litestar takes most of a server's start, so it is loaded when the server answers.
        from caxton_adapters.rest.management import application  # noqa: PLC0415 - see above
        from caxton_adapters.rest.served import Resources  # noqa: PLC0415 - see above

        resources = Resources(
            self._agents,
            self._capabilities,
            self._conversations,
            self._events,
            self._health,
            self._messages,
            self._providers,
            self._memories,
            Approvals(self._runtime),
            self._tools,
            self._policies,
            self._tokens,
        )
        return application(resources)  # type: ignore[return-value] # ASGI, typed more closely


async def _to_page(asked: Asked, _: str) -> Answered:  # noqa: ARG001 - a handler
    """Whoever comes to the server's door is led to the page that shows the API."""
    return _TO_PAGE
