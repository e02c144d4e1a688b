"""The runtime as others see it: deploy agents, send them messages, look how they do."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import final

import anyio
from attrs import define, evolve
from returns.result import Failure, Result, Success

from caxton_adapters.runtime.approvals import Approvals
from caxton_adapters.runtime.errands import Errands
from caxton_adapters.runtime.intake import DEFAULT_LIMITS, Admit, Intake, RuntimeLimits
from caxton_adapters.runtime.isolation.choice import Hosts
from caxton_adapters.runtime.messages import Messages
from caxton_adapters.runtime.policing import Policing
from caxton_adapters.runtime.recovery import Recovery
from caxton_adapters.runtime.refusals import (
    Draining,
    Refusal,
    UnknownAgent,
)
from caxton_adapters.runtime.resident import Resident
from caxton_adapters.runtime.supervisor import Supervisor
from caxton_adapters.runtime.ticket import Incoming, Ticket
from caxton_adapters.runtime.views import AgentView, view_of
from caxton_adapters.runtime.world import World
from caxton_core.agent.lifecycle import Running
from caxton_core.agent.sections import MemoryRules
from caxton_core.conversation.past import ConversationKey
from caxton_core.journal import StoredMessage
from caxton_core.ports import Configs
from caxton_core.primitives import AgentId, CapabilityName
from caxton_core.storage import NotRead
from caxton_core.tools.permission import Decision
from caxton_core.tools.tool import ToolCall, ToolResult


@final
@define(eq=False)
class Runtime:
    """Agents and their messages; made by `running`."""

    supervisor: Supervisor
    world: World
    _intake: Intake
    _recovery: Recovery

    async def deploy(self, text: str) -> Result[AgentView, Refusal]:
        """A new agent from the text of its file, running."""
        if self.draining:
            return Failure(Draining())
        deployed = await self.supervisor.deploy(text)
        return deployed.map(self._view)

    async def replace(self, ref: str, text: str) -> Result[AgentView, Refusal]:
        """The same agent with another file of the same name."""
        found = self.supervisor.find(ref)
        if isinstance(found, Failure):
            return found
        resident = found.unwrap()
        replaced = await self.supervisor.replace(resident, text)
        return replaced.map(lambda before: evolve(self._view(resident), replaced=before))

    def agents(self) -> Sequence[AgentView]:
        """Every agent, in the order of creation."""
        return tuple(self._view(resident) for resident in self.supervisor.residents())

    def agent(self, ref: str) -> Result[AgentView, UnknownAgent]:
        """The agent of this name or identity."""
        return self.supervisor.find(ref).map(self._view)

    def memory_rules(self, agent: AgentId) -> MemoryRules | None:
        """What an agent's file says of its memory; None for one that is not there."""
        found = self.supervisor.find(agent.value)
        config = None if isinstance(found, Failure) else found.unwrap().config
        return None if config is None else config.memory

    def offering(self, capability: CapabilityName) -> Sequence[AgentView]:
        """The running agents that offer a capability, the preferred and least busy first."""
        able = [
            resident
            for resident in self.supervisor.residents()
            if isinstance(resident.agent.state, Running)
            and resident.takes_messages
            and capability in resident.agent.state.config.capabilities
        ]
        able.sort(key=_preference)
        return tuple(self._view(resident) for resident in able)

    @property
    def policing(self) -> Policing | None:
        """The policy that agents are held to, if there is one."""
        return self.supervisor.policing

    async def hold_to_policy(self) -> Sequence[AgentView]:
        """Hold every agent to the policy that holds now; those that do not conform."""
        return tuple(map(self._view, await self.supervisor.hold_to_policy()))

    async def start(self, ref: str) -> Result[AgentView, Refusal]:
        """Have the agent take messages."""
        return await self._changed(ref, self.supervisor.start)

    async def stop(self, ref: str, *, force: bool = False) -> Result[AgentView, Refusal]:
        """Have the agent take no more messages; those at work are answered first, or cut off."""
        return await self._changed(ref, partial(self.supervisor.stop, force=force))

    async def restart(self, ref: str, *, force: bool = False) -> Result[AgentView, Refusal]:
        """Have the agent go on in another process; by force the messages at work are cut off."""
        return await self._changed(ref, partial(self.supervisor.restart, force=force))

    async def delete(self, ref: str, *, force: bool = False) -> Result[str, Refusal]:
        """Remove the agent; the text of the file that it had."""
        found = self.supervisor.find(ref)
        if isinstance(found, Failure):
            return found
        agent = found.unwrap().agent.id
        deleted = await self.supervisor.delete(found.unwrap(), force=force)
        if isinstance(deleted, Success):
            self._intake.forget_agent(agent)
        return deleted

    async def accept(
        self, ref: str, incoming: Incoming, admit: Admit | None = None
    ) -> Result[Ticket, Refusal]:
        """Take in a message for an agent; the ticket leads to its answer.

        A message with a key that came before gets the ticket of the first one. `admit` is asked
        about one that could be taken in otherwise.
        """
        return await self._intake.accept(ref, incoming, admit)

    async def keyed(self, capability: CapabilityName, key: str) -> Result[AgentId | None, NotRead]:
        """The agent with this capability that was given a message under this key before."""
        return await self._intake.keyed(capability, key)

    async def message(self, message: str) -> Result[Ticket, Refusal]:
        """A message that was accepted, and what became of it."""
        return await self._intake.message(message)

    def seen(self, stored: StoredMessage) -> Ticket | None:
        """A stored message as it is now; None where its agent was deleted."""
        return self._intake.seen(stored)

    def cancel(self, ticket: Ticket) -> None:
        """Nobody wants the answer any more; nothing happens where there is one."""
        self._intake.cancel(ticket)

    async def reopen(
        self, message: str, results: tuple[ToolResult, ...] = (), admit: Admit | None = None
    ) -> Result[Ticket, Refusal]:
        """Have the turn of a message that failed go on from its last recorded observation.

        Calls whose outcome is unknown have these results; the others are made again. `admit` is
        asked about a message that could go on otherwise.
        """
        return await self._recovery.reopen(message, results, admit)

    @property
    def approvals(self) -> Approvals:
        """The calls that wait for a person."""
        return self.world.approvals

    async def decide(self, ref: str, call: ToolCall) -> Result[Decision, Refusal]:
        """Whether a call of an agent would be made now, and what each level says of it."""
        found = self.supervisor.find(ref)
        if isinstance(found, Failure):
            return found
        return await self.supervisor.decide(found.unwrap(), call)

    async def recover(self) -> Result[int, NotRead]:
        """Take up the messages that an earlier run of the server left; how many there were."""
        return await self._recovery.recover()

    @property
    def in_flight(self) -> int:
        """How many messages wait or are being answered."""
        return self._intake.in_flight

    def at_work(self, place: ConversationKey) -> tuple[Ticket, ...]:
        """The messages of a conversation that wait or are being answered."""
        return self._intake.at_work(place)

    def forget(self, place: ConversationKey) -> None:
        """A conversation was removed from the store."""
        self._intake.forget(place)

    def forget_ended(self, before: datetime) -> None:
        """Messages that ended before were removed from the store; others are read again."""
        self._intake.forget_ended(before)

    def oldest(self) -> Ticket | None:
        """The message that has been waiting or being answered for longest."""
        return self._intake.oldest()

    @property
    def draining(self) -> bool:
        """Whether new work is refused because the server stops."""
        return self._intake.draining

    async def drain(self, seconds: float) -> int:
        """Refuse new work and wait for what is at work; how many messages were left unanswered."""
        return await self._intake.drain(seconds)

    async def _changed(
        self,
        ref: str,
        change: Callable[[Resident], Awaitable[Result[Resident, Refusal]]],
    ) -> Result[AgentView, Refusal]:
        found = self.supervisor.find(ref)
        if isinstance(found, Failure):
            return found
        changed = await change(found.unwrap())
        return changed.map(self._view)

    def _view(self, resident: Resident) -> AgentView:
        return view_of(resident, self.supervisor.hosts)


def _preference(resident: Resident) -> tuple[int, int]:
    config = resident.config
    return (0 if config is None else -config.routing.priority.value, resident.in_flight)


@asynccontextmanager
async def running(
    world: World,
    *,
    configs: Configs,
    hosts: Hosts,
    limits: RuntimeLimits = DEFAULT_LIMITS,
    policing: Policing | None = None,
) -> AsyncIterator[Runtime]:
    """A runtime that takes up the stored agents, and ends everything at the end of the block.

    Their unfinished messages wait for `Runtime.recover`. Without `policing` no agent is refused.
    """
    messages = Messages(limits.ended_messages, limits.ended_characters)
    stored, tasks = await configs.stored(), Errands()
    supervisor = Supervisor(hosts, world, configs, tasks, messages.ended, policing)
    try:
        await supervisor.revive(stored)
        intake = Intake(supervisor, world, limits, messages)
        yield Runtime(supervisor, world, intake, Recovery(intake))
    finally:
        with anyio.CancelScope(shield=True):
            await supervisor.close()
            await tasks.cancel()
