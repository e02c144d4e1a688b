r"""Agents inside a program of one's own: the server's runtime, without the server.

    async with embedded(openai("gpt-4o-mini")) as caxton:
        await caxton.deploy('name = "greeter"\nsystem_prompt = "You greet people."')
        print((await caxton.send("greeter", "Hello!")).text)

What cannot be done is raised as `NotDone`, with the code and the words that the server has for it:
a script has nobody to hand a failure to, must not go on by accident, and need not know `returns`.
Whoever prefers values asks `Embedded.runtime`. It runs on asyncio.
"""

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final, TypeAlias, TypeVar, final

import anyio
from attrs import define, field, frozen
from returns.result import Failure, Result, Success

from caxton_adapters.clock import SystemClock
from caxton_adapters.configs.in_memory import InMemoryConfigs
from caxton_adapters.journal.in_memory import InMemoryJournal
from caxton_adapters.key_sources import SecretPlace, find_secret
from caxton_adapters.memory.agent import AgentMemory
from caxton_adapters.memory.in_memory import InMemoryMemory
from caxton_adapters.memory.tools import MemoryTools
from caxton_adapters.providers.catalogue import Catalogue, Means, open_catalogue
from caxton_adapters.providers.scripted.model import Scripted
from caxton_adapters.providers.scripted.scenario import read_scenario
from caxton_adapters.providers.settings import OPENAI_BASE_URL, ProviderKind, ProviderSettings
from caxton_adapters.rest.failures import of_turn
from caxton_adapters.rest.problem import Refused
from caxton_adapters.rest.refusals import of_approval, of_runtime
from caxton_adapters.runtime.approvals import ApprovalRefusal, Request
from caxton_adapters.runtime.archive import Archive, Whose
from caxton_adapters.runtime.feed import EventFeed, Listener, Told
from caxton_adapters.runtime.in_force import RulesInForce
from caxton_adapters.runtime.isolation.choice import DEFAULT_ISOLATION, Hosts
from caxton_adapters.runtime.pasts import Pasts
from caxton_adapters.runtime.refusals import ConfigRefused, Refusal
from caxton_adapters.runtime.runtime import Runtime, running
from caxton_adapters.runtime.ticket import Delivery, Incoming, Ticket
from caxton_adapters.runtime.views import AgentView
from caxton_adapters.runtime.world import World
from caxton_adapters.secrets import Secret
from caxton_adapters.tools.combined import CombinedTools
from caxton_core.agent.sections import Isolation
from caxton_core.conversation.model import FinishReason, ModelRequest, ProviderUnknown
from caxton_core.conversation.outcome import NotAnswered, TurnFailure
from caxton_core.events import Event
from caxton_core.limits import Usage
from caxton_core.ports import Configs, Model, Tools
from caxton_core.primitives import ConversationId, ModelName, ProviderName, Usd
from caxton_core.reading.report import human, report
from caxton_core.tools.approval import Approved, Denied
from caxton_core.tools.tool import RequestedCall

CONVERSATION_BYTES = 64 * 1024 * 1024
DEMO = "scripted"

T = TypeVar("T")

WhyNot: TypeAlias = Refusal | TurnFailure | ApprovalRefusal
PROGRAM: Final = "the program"


@final
class Unusable(ValueError):
    """What the runtime should be built from cannot be used: a scenario, a file without a key."""


@final
class NotDone(Exception):
    """Caxton did not do what it was asked: `why`, and a code that `caxton explain` knows."""

    def __init__(self, why: WhyNot, told: Refused) -> None:
        words = f"{told.code}: {told.detail}"
        if isinstance(why, ConfigRefused):
            words = f"{words}\n{human(why.report)}"
        super().__init__(words)
        self.why = why
        self.code = told.code
        self.detail = told.detail


@final
@frozen
class Answer:
    """What an agent answered; the `conversation` continues when it is given to `send` again."""

    text: str
    conversation: str
    finish: FinishReason
    model: str
    usage: Usage
    calls: tuple[RequestedCall, ...]


@final
@define(eq=False)
class Pieces:
    """An answer while it comes: iterate over its pieces, then ask for the whole."""

    _ticket: Ticket

    def __aiter__(self) -> AsyncIterator[str]:
        return self._told()

    async def _told(self) -> AsyncIterator[str]:
        async for piece in self._ticket.deltas():
            yield piece
        await self.whole()

    async def whole(self) -> Answer:
        """The whole answer, once it is there; raises `NotDone`."""
        return await _whole(self._ticket)


@final
@frozen
class _Models:
    """The models of the program beside the providers of the catalogue."""

    own: Mapping[ProviderName, Model]
    catalogue: Catalogue
    default: ProviderName | None

    def find(self, name: ProviderName | None) -> Result[Model, ProviderUnknown]:
        chosen = name or self.default
        if chosen is not None and chosen in self.own:
            return Success(self.own[chosen])
        if chosen is None or chosen not in self.catalogue.names:
            return Failure(ProviderUnknown(name, (*self.own, *self.catalogue.names)))
        return self.catalogue.find(chosen)

    async def quote(self, name: ProviderName | None, request: ModelRequest) -> Usd | None:
        chosen = name or self.default
        return None if chosen in self.own else await self.catalogue.quote(chosen, request)


@final
@frozen
class Embedded:
    """Agents and their messages; made by `embedded`."""

    runtime: Runtime
    _feed: EventFeed = field(repr=False)

    async def deploy(self, text: str) -> AgentView:
        """Run the agent that the text of an agent file describes; raises `NotDone`."""
        return _done(await self.runtime.deploy(text))

    async def replace(self, text: str, agent: str) -> AgentView:
        """Give an agent another file of the same name; raises `NotDone`."""
        return _done(await self.runtime.replace(agent, text))

    async def delete(self, agent: str) -> None:
        """Remove an agent and drop what it is answering; raises `NotDone`."""
        _done(await self.runtime.delete(agent, force=True))

    def agents(self) -> Sequence[AgentView]:
        """Every agent as it is now."""
        return self.runtime.agents()

    async def send(self, agent: str, text: str, conversation: str | None = None) -> Answer:
        """Say something to an agent and wait for its answer; raises `NotDone`.

        A caller who is cancelled cancels the message.
        """
        async with self._accepted(agent, text, conversation, Delivery.WHOLE) as ticket:
            return await _whole(ticket)

    @asynccontextmanager
    async def stream(
        self, agent: str, text: str, conversation: str | None = None
    ) -> AsyncIterator[Pieces]:
        """Say something to an agent and read its answer while it comes; raises `NotDone`.

        Leaving the block early cancels the message.
        """
        async with self._accepted(agent, text, conversation, Delivery.STREAMED) as ticket:
            yield Pieces(ticket)

    async def reset(self, conversation: str, agent: str | None = None) -> None:
        """Have a conversation begin anew; raises `NotDone`.

        `agent` says whose it is, where several use the same identity.
        """
        _done(await Archive(self.runtime).reset(Whose(conversation, agent)))

    async def forget(self, conversation: str, agent: str | None = None) -> None:
        """Remove a conversation and drop what is being answered in it; raises `NotDone`."""
        _done(await Archive(self.runtime).forget(Whose(conversation, agent), force=True))

    def approvals(self) -> Sequence[Request]:
        """The calls of tools that wait for a person, what was asked first first."""
        return self.runtime.approvals.waiting()

    async def approve(self, approval: str, by: str = PROGRAM) -> None:
        """Have the call made; raises `NotDone`."""
        await self._answer(approval, Approved(by))

    async def deny(self, approval: str, reason: str = "", by: str = PROGRAM) -> None:
        """Have the call refused, for a reason that the model is told; raises `NotDone`."""
        await self._answer(approval, Denied(by, reason))

    async def _answer(self, approval: str, said: Approved | Denied) -> None:
        answered = await self.runtime.approvals.answer(approval, said)
        if isinstance(answered, Failure):
            raise NotDone(answered.failure(), of_approval(answered.failure()))

    def events(self) -> AsyncIterator[Event]:
        """What happens from now on; who reads too slowly hears the end."""
        return _told(self._feed.listen())

    @asynccontextmanager
    async def _accepted(
        self, agent: str, text: str, conversation: str | None, delivery: Delivery
    ) -> AsyncIterator[Ticket]:
        known = None if conversation is None else ConversationId(conversation)
        incoming = Incoming(text, known, delivery=delivery)
        ticket = _done(await self.runtime.accept(agent, incoming))
        try:
            yield ticket
        finally:
            self.runtime.cancel(ticket)


@asynccontextmanager
async def embedded(
    *providers: ProviderSettings,
    models: Mapping[str, Model] | None = None,
    default: str | None = None,
    tools: Tools | None = None,
    configs: Configs | None = None,
    isolation: Isolation = DEFAULT_ISOLATION,
) -> AsyncIterator[Embedded]:
    """Run agents inside this program until the end of the block.

    Answers come from the `providers`, which are retried and limited as in a server, and from
    `models` of the program's own; agents that name none ask the `default`, or else the first.
    Agents are forgotten at the end unless `configs` keeps them. Raises `Unusable` for a scenario
    that cannot be played.
    """
    own = {ProviderName(name): model for name, model in (models or {}).items()}
    catalogue = _catalogue(providers)
    first = next(iter((*own, *catalogue.names)), None)
    chosen = first if default is None else ProviderName(default)
    feed, clock = EventFeed(), SystemClock()
    known = _Models(own, catalogue, chosen)
    journal, memory = InMemoryJournal(), InMemoryMemory()
    rules = RulesInForce()
    remembering = MemoryTools(memory, rules.of_memory, clock)
    world = World(
        known,
        remembering if tools is None else CombinedTools((tools, remembering)),
        journal,
        journal,
        Pasts(journal.conversations, CONVERSATION_BYTES),
        feed,
        clock,
        AgentMemory(memory, rules.of_memory, clock),
    )
    hosts = Hosts(default=isolation)
    try:
        async with running(world, configs=configs or InMemoryConfigs(), hosts=hosts) as runtime:
            rules.runtime = runtime
            yield Embedded(runtime, feed)
    finally:
        feed.end()
        with anyio.CancelScope(shield=True):
            await catalogue.aclose()


def openai(
    model: str | None = None,
    *,
    base_url: str = OPENAI_BASE_URL,
    api_key: str | None = None,
    name: str = "openai",
) -> ProviderSettings:
    """OpenAI or a service that speaks its protocol; raises `Unusable` for a file without a key.

    A key that is not given is looked for where the server looks: `OPENAI_API_KEY`, the file that
    `OPENAI_API_KEY_FILE` names, the keyring of the operating system. It is sent to OpenAI alone:
    for another address it has to be given.
    """
    ours = base_url == OPENAI_BASE_URL
    key = Secret(api_key) if api_key else _found_key(name) if ours else None
    return ProviderSettings(
        name=ProviderName(name),
        kind=ProviderKind.OPENAI if ours else ProviderKind.OPENAI_COMPATIBLE,
        base_url=base_url,
        api_key=key,
        model=None if model is None else ModelName(model),
    )


def scripted(scenario: str) -> Model:
    """Answers from the TOML text of a scenario; raises `Unusable` with all that is wrong in it."""
    read = read_scenario(scenario)
    if isinstance(read, Failure):
        raise Unusable(human(report(read.failure(), scenario, "scenario.toml")))
    return Scripted(ProviderName(DEMO), read.unwrap())


def _found_key(name: str) -> Secret | None:
    found = find_secret(SecretPlace("OPENAI_API_KEY", f"{name}-api-key"), os.environ)
    if isinstance(found, Failure):
        unreadable = found.failure()
        message = f"{unreadable.path}, named by {unreadable.named_by}: {unreadable.reason}"
        raise Unusable(message)
    secret = found.unwrap()
    return None if secret is None else secret.secret


def _catalogue(providers: Sequence[ProviderSettings]) -> Catalogue:
    opened = open_catalogue(providers, Means(SystemClock()))
    if isinstance(opened, Failure):
        refused = opened.failure()[0]
        why = refused.why
        told = why if isinstance(why, str) else human(report(why, refused.text, str(refused.path)))
        raise Unusable(told)
    return opened.unwrap()


async def _told(listener: Listener) -> AsyncIterator[Event]:
    async for news in listener.news():
        if isinstance(news, Told):
            yield news.event


def _done(result: Result[T, Refusal]) -> T:
    if isinstance(result, Failure):
        why = result.failure()
        raise NotDone(why, of_runtime(why))
    return result.unwrap()


async def _whole(ticket: Ticket) -> Answer:
    outcome = await ticket.done()
    if isinstance(outcome, NotAnswered):
        raise NotDone(outcome.why, of_turn(outcome.why))
    return Answer(
        outcome.text,
        ticket.conversation.value,
        outcome.finish,
        outcome.model,
        outcome.usage,
        outcome.calls,
    )
