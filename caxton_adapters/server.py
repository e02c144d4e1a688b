"""The composition root: the one module that knows every adapter, and ends what it begins."""

import gc
import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import final

import anyio
from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_adapters.auth.sqlite import SqliteTokens
from caxton_adapters.auth.tokens import Tokens, stored_tokens
from caxton_adapters.clock import SystemClock
from caxton_adapters.configs.sqlite import SqliteConfigs
from caxton_adapters.configs.tool_servers import SqliteToolServers
from caxton_adapters.database import Database, StorageUnusable, Synchronous, open_database
from caxton_adapters.health.certificate import certificate
from caxton_adapters.health.component import Part
from caxton_adapters.health.machine import clock, disk
from caxton_adapters.health.provider import provider
from caxton_adapters.health.storage import database as stored
from caxton_adapters.health.storage import keep_probing
from caxton_adapters.health.tools import tools
from caxton_adapters.journal.sqlite import SqliteConversations, SqliteJournal
from caxton_adapters.mcp.connection import Means as ToolMeans
from caxton_adapters.mcp.homes import HOMES
from caxton_adapters.mcp.lock import LockFile, open_lock
from caxton_adapters.mcp.oauth.authenticating import with_logins
from caxton_adapters.mcp.servers import McpServers, tool_servers
from caxton_adapters.memory.agent import AgentMemory
from caxton_adapters.memory.sqlite import SqliteMemory, sqlite_memory
from caxton_adapters.memory.tools import MemoryTools
from caxton_adapters.process import capacity, lock
from caxton_adapters.process.capacity import Capacity
from caxton_adapters.process.refusals import (
    DatabaseUnusable,
    ScenarioUnusable,
    StartRefusal,
    ToolLockUnusable,
    in_words,
)
from caxton_adapters.process.server_process import ServerProcess
from caxton_adapters.process.stdlib_logging import adopt
from caxton_adapters.process.watchdog import keep_alive
from caxton_adapters.providers.catalogue import (
    Catalogue,
    Means,
    open_catalogue,
)
from caxton_adapters.providers.settings import ProviderKind
from caxton_adapters.rest.api import RestApi
from caxton_adapters.rest.exchange import current
from caxton_adapters.rest.failures import of_model, of_turn
from caxton_adapters.rest.policies import ReadAgain, Written
from caxton_adapters.rest.providers import ListedProvider
from caxton_adapters.rest.serving import RestServer
from caxton_adapters.runtime.archive import Archive
from caxton_adapters.runtime.feed import EventFeed
from caxton_adapters.runtime.in_force import RulesInForce
from caxton_adapters.runtime.isolation.choice import DEFAULT_ISOLATION, Hosts
from caxton_adapters.runtime.isolation.places import Places
from caxton_adapters.runtime.pasts import Pasts
from caxton_adapters.runtime.policing import Policing, described
from caxton_adapters.runtime.retention import keep_for
from caxton_adapters.runtime.rulebook import Rulebook, ServerRules
from caxton_adapters.runtime.runtime import Runtime, running
from caxton_adapters.runtime.world import World
from caxton_adapters.settings.loading import InvalidSettings, LoadResult
from caxton_adapters.settings.parts import provider_settings, rest_settings
from caxton_adapters.settings.values import Settings
from caxton_adapters.telemetry.event_log import LoggedEvents
from caxton_adapters.tools.combined import CombinedTools
from caxton_core.agent.policy.facts import Facts
from caxton_core.agent.policy.file import InForce
from caxton_core.ports import Model, Tools
from caxton_core.primitives import ProviderName
from caxton_core.reading.report import Report, human

CONVERSATION_BYTES = 64 * 1024 * 1024
OBJECTS_BETWEEN_COLLECTIONS = 10_000
_REMOTE = (ProviderKind.OPENAI, ProviderKind.OPENAI_COMPATIBLE)


@final
@frozen
class Launch:
    """What a server starts from; `again` reads the settings as they are written then."""

    settings: Settings
    process: ServerProcess
    policy: InForce
    again: Callable[[], LoadResult]

    def written(self) -> Result[Written, tuple[Report, ...] | str]:
        """What the settings say now of calls of tools, and of the policy's place."""
        loaded = self.again()
        if isinstance(loaded, Success):
            settings = loaded.unwrap().settings
            return Success(Written(_rules(settings), settings.policy))
        why = loaded.failure()
        return Failure(why.reports if isinstance(why, InvalidSettings) else in_words(why).what)


@final
@frozen
class Opened:
    """What was opened before the agents run, and is closed when they have ended."""

    launch: Launch
    machine: SystemClock
    catalogue: Catalogue
    database: Database
    servers: McpServers
    pins: LockFile
    rulebook: Rulebook

    @property
    def process(self) -> ServerProcess:
        """What the server holds of its machine."""
        return self.launch.process


def main(launch: Launch) -> int:
    """Serve until told to stop; the exit code of the process."""
    adopt(launch.process.log)
    gc.disable()  # nothing is garbage yet of what a start makes; `_settle` has it collected
    with _given_back(launch.process):
        quick = importlib.util.find_spec("uvloop") is not None
        return anyio.run(_serve, launch, backend_options={"use_uvloop": quick})


@contextmanager
def _given_back(process: ServerProcess) -> Iterator[None]:
    try:
        yield
    finally:
        gc.enable()
        process.close()


async def _serve(launch: Launch) -> int:
    claimed = lock.take_database(launch.settings.storage.database)
    if isinstance(claimed, Failure):
        return _refused(launch.process, claimed.failure())
    try:
        return await _open(launch)
    finally:
        claimed.unwrap().release()


async def _open(launch: Launch) -> int:
    settings, process = launch.settings, launch.process
    means = Means(SystemClock())
    opened = open_catalogue(provider_settings(settings), means, settings.default_provider)
    if isinstance(opened, Failure):
        why = opened.failure()[0]
        return _refused(process, ScenarioUnusable(why.provider.value, why.path, why.reason))
    catalogue = opened.unwrap()
    path, level = settings.storage.database, settings.storage.synchronous.value
    try:
        async with open_database(path, synchronous=Synchronous(level)) as database:
            return await _equipped(launch, catalogue, database)
    except StorageUnusable as unusable:
        return _refused(process, DatabaseUnusable(unusable.path, unusable.why))
    finally:
        with anyio.CancelScope(shield=True):
            await catalogue.aclose()


async def _equipped(launch: Launch, catalogue: Catalogue, database: Database) -> int:
    """Serve with the registered servers of tools, which end last."""
    settings, process = launch.settings, launch.process
    machine, path = SystemClock(), settings.tool_lock
    opened = open_lock(path, machine, process.log.warning, settings.approval)
    if isinstance(opened, Failure):
        return _refused(process, ToolLockUnusable(path, human(opened.failure().report)))
    pins = opened.unwrap()
    rulebook = Rulebook()
    rulebook.adopt(server=_rules(settings), policy=launch.policy.policy.permissions)
    async with tool_servers(
        settings.tool_servers,
        means=ToolMeans(
            machine,
            settings.server.data_dir / HOMES,
            authenticate=with_logins(settings.server.data_dir),
            hide=process.log.hide,
        ),
        pins=pins,
        store=SqliteToolServers(database),
        may_stand_in=rulebook.allows,
    ) as servers:
        return await _run(Opened(launch, machine, catalogue, database, servers, pins, rulebook))


async def _run(opened: Opened) -> int:
    """Take up what an earlier run left, then answer until told to stop."""
    settings, database = opened.launch.settings, opened.database
    feed, rules = EventFeed(), RulesInForce()
    memory = await sqlite_memory(database)
    world = _world(opened, feed, rules, memory)
    configs = SqliteConfigs(database)
    hosts = Hosts(places=Places(settings.limits.processes.value))
    async with running(
        world, configs=configs, hosts=hosts, policing=_policing(opened, world)
    ) as runtime:
        rules.runtime = runtime
        recovered = await runtime.recover()
        if isinstance(recovered, Failure):
            raise StorageUnusable(database.path, recovered.failure().why)
        tokens = await stored_tokens(
            settings.server.token, SqliteTokens(database), opened.machine.now
        )
        api = _api(opened, runtime, feed, memory, tokens)
        code = await _served(opened, runtime, api, tokens)
        await tokens.write_uses()
        return code


def _world(opened: Opened, feed: EventFeed, rules: RulesInForce, memory: SqliteMemory) -> World:
    """What the agents work with."""
    journal = SqliteJournal(opened.database)
    remembering = MemoryTools(memory, rules.of_memory, opened.machine)
    return World(
        opened.catalogue,
        CombinedTools((remembering, opened.servers)),
        journal,
        journal,
        Pasts(SqliteConversations(opened.database), CONVERSATION_BYTES),
        LoggedEvents(feed, opened.process.log, lambda why: of_turn(why).code, _request_id),
        opened.machine,
        AgentMemory(memory, rules.of_memory, opened.machine),
        lasting=True,
        toolbox=opened.servers,
        rulebook=opened.rulebook,
        real=opened.servers.real,
    )


def _policing(opened: Opened, world: World) -> Policing:
    """What the configurations of the agents are held to."""
    measured = capacity.measured()
    facts = partial(_facts, opened.catalogue, world.tools, opened.servers, measured)
    return Policing(opened.launch.policy, facts)


def _api(
    opened: Opened, runtime: Runtime, feed: EventFeed, memory: SqliteMemory, tokens: Tokens
) -> RestApi:
    """What answers requests."""
    settings = opened.launch.settings
    return RestApi(
        runtime,
        feed,
        _listed(opened.catalogue),
        rest_settings(settings),
        _parts(opened, runtime.world),
        memory=memory,
        toolbox=opened.servers,
        policy=ReadAgain(settings.policy, opened.launch.written),
        tokens=tokens,
        log=opened.process.log,
    )


def _parts(opened: Opened, world: World) -> tuple[Part, ...]:
    """What a checkup looks at."""
    return (
        stored(lambda: opened.database.health),
        disk(opened.process.directory),
        clock(opened.machine.stepped),
        tools(lambda: world.calls.breakers),
        *_certificate(opened),
        *_conditions(opened.catalogue),
    )


def _certificate(opened: Opened) -> Iterator[Part]:
    shown = opened.process.certificate
    if shown is not None:
        yield certificate(lambda: shown.pair, opened.machine.now)


async def _served(opened: Opened, runtime: Runtime, api: RestApi, tokens: Tokens) -> int:
    """Answer requests, beside all that goes on by itself; the exit code of the process."""
    process, storage = opened.process, opened.launch.settings.storage
    async with anyio.create_task_group() as beside:
        beside.start_soon(keep_alive, process)
        beside.start_soon(api.watch)
        beside.start_soon(opened.pins.watch, opened.servers.renew)
        beside.start_soon(tokens.keep_uses)
        beside.start_soon(keep_probing, opened.database, opened.machine)
        beside.start_soon(_settle, api)
        beside.start_soon(opened.catalogue.prepare)
        if storage.keep_messages is not None:
            beside.start_soon(keep_for, Archive(runtime), storage.keep_messages)
        if process.certificate is not None:
            beside.start_soon(process.certificate.watch, process.log)
        code = await _answered(opened, runtime, api)
        beside.cancel_scope.cancel()
    return code


async def _answered(opened: Opened, runtime: Runtime, api: RestApi) -> int:
    """Answer requests until told to stop; the exit code of the process."""
    process = opened.process

    def answers() -> None:
        process.ready(len(runtime.supervisor.residents()), len(opened.catalogue.names))

    server = RestServer(
        api.application,
        rest_settings(opened.launch.settings),
        tls=None if process.certificate is None else process.certificate.context,
        drain=api.drain,
        on_started=answers,
        on_stopping=process.stopping,
    )
    await server.serve(sockets=process.listeners)
    return 0 if server.ended_by is None else 128 + server.ended_by


async def _settle(api: RestApi) -> None:
    """Load what is loaded late, then let the garbage collector look at new objects only."""
    await api.management()
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, *gc.get_threshold()[1:])


def _rules(settings: Settings) -> ServerRules:
    written = settings.permissions
    return ServerRules(written, written.timeout.value)


def _listed(catalogue: Catalogue) -> tuple[ListedProvider, ...]:
    return tuple(
        ListedProvider(
            name=settings.name,
            kind=settings.kind.value,
            default=settings.name == catalogue.default,
            port=partial(_model, catalogue, settings.name),
            base_url=settings.base_url if settings.kind in _REMOTE else None,
            model=settings.model,
        )
        for settings in map(catalogue.settings, catalogue.names)
        if settings is not None
    )


def _facts(catalogue: Catalogue, tools: Tools, servers: McpServers, machine: Capacity) -> Facts:
    """What the rules of the policy may know of this installation."""
    default = catalogue.default
    # Tools that wait for approval are there too: naming one is no mistake.
    known = (*tools.offered(), *(view.tool for view in servers.tools()))
    registered = {view.name.value for view in servers.servers()}
    return Facts(
        providers=frozenset(name.value for name in catalogue.names),
        default_provider=None if default is None else default.value,
        servers=frozenset(registered | {tool.name.server for tool in known}),
        tools=described(known),
        memory=machine.memory,
        cores=machine.cores,
        isolation=DEFAULT_ISOLATION,
    )


def _request_id() -> str | None:
    """The request in whose name the running task works."""
    context = current.get()
    return None if context is None else context.request_id


def _conditions(catalogue: Catalogue) -> Iterator[Part]:
    """How each provider does, as the last real calls met it."""
    for name in catalogue.names:
        yield provider(
            name.value, partial(catalogue.condition, name), lambda failure: of_model(failure).detail
        )


def _model(catalogue: Catalogue, name: ProviderName) -> Model:
    found = catalogue.find(name)
    if isinstance(found, Failure):
        raise KeyError(name)
    return found.unwrap()


def _refused(process: ServerProcess, refusal: StartRefusal) -> int:
    return process.refuse(in_words(refusal))
