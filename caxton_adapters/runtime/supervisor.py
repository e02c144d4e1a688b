"""The one owner of every agent's state: a step of an agent's life takes effect here alone."""

import logging
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import partial
from typing import Final, final

import anyio
from attrs import define, evolve, field
from returns.result import Failure, Result, Success

from caxton_adapters.runtime.desk import Desk
from caxton_adapters.runtime.desks import Desks
from caxton_adapters.runtime.errands import Errands
from caxton_adapters.runtime.granting import granted, reach
from caxton_adapters.runtime.identity import new_agent_id
from caxton_adapters.runtime.isolation.choice import Hosts
from caxton_adapters.runtime.policing import Policing, found, permitted, stops_violators, summary
from caxton_adapters.runtime.refusals import (
    ConfigRefused,
    NameChanged,
    NameTaken,
    PolicyRefused,
    Refusal,
    TurnsInFlight,
    UnknownAgent,
    WrongState,
)
from caxton_adapters.runtime.resident import Resident
from caxton_adapters.runtime.ticket import Ticket
from caxton_adapters.runtime.world import World
from caxton_core.agent.config import AgentConfig
from caxton_core.agent.lifecycle import (
    Agent,
    AnyAgent,
    Failed,
    Loaded,
    Running,
    Stopped,
    Unloaded,
    fail,
    load,
    recovered,
    start,
    stop,
    unload,
)
from caxton_core.agent.record import AgentRecord, StateName, restored, state_name
from caxton_core.agent.toml import read_agent
from caxton_core.conversation.outcome import AgentGone
from caxton_core.events import entered
from caxton_core.ports import Configs
from caxton_core.primitives import AgentId
from caxton_core.storage import NotStored
from caxton_core.tools.permission import Decision
from caxton_core.tools.tool import ToolCall

_LOG: Final = logging.getLogger("caxton.runtime")
_AT_START: Final = "the server started"


@final
@define(eq=False)
class Supervisor:
    """Every agent of this server."""

    hosts: Hosts
    _world: World
    _configs: Configs
    _tasks: Errands
    _finished: Callable[[Ticket], None]
    policing: Policing | None = None
    _desks: Desks = field(init=False)
    _residents: dict[AgentId, Resident] = field(factory=dict, init=False)
    _ids: dict[str, AgentId] = field(factory=dict, init=False)

    @_desks.default
    def _furnished(self) -> Desks:
        return Desks(self.hosts, self._world, self._tasks, self._finished, self._fail)

    def residents(self) -> Sequence[Resident]:
        """Every agent, in the order of creation."""
        return tuple(self._residents.values())

    def find(self, asked: str) -> Result[Resident, UnknownAgent]:
        """The agent of this name or identity."""
        known = self._ids.get(asked)
        if known is not None:
            return Success(self._residents[known])
        return Failure(UnknownAgent(asked, tuple(get_close_matches(asked, self._names(), 3))))

    def _names(self) -> list[str]:
        return [resident.record.name.value for resident in self._residents.values()]

    async def revive(self, records: Sequence[AgentRecord]) -> None:
        """Take up the agents of an earlier run; those that ran then run again."""
        for record in records:
            read = read_agent(record.text).value_or(None)
            agent = restored(record, None if read is None else read.config)
            now = self._world.clock.now()
            resident = Resident(recovered(agent, now=now), record, read)
            self._keep(resident)
            if read is not None:
                self._desks.keep_budget(resident, read.config.budget)
            cause, state = _AT_START, resident.agent.state
            refused = found(self.policing, resident)
            if refused is not None and record.state is StateName.RUNNING:
                self._fail_at_start(resident, refused)
            elif record.state is StateName.RUNNING and isinstance(state, Stopped):
                self._run(resident, Agent(resident.agent.id, state), cause)
            elif record.state is not StateName.FAILED and isinstance(state, Failed):
                self._enter(resident, resident.agent, cause)

    async def deploy(self, text: str) -> Result[Resident, Refusal]:
        """A new agent from its file, running."""
        reading = read_agent(text)
        if isinstance(reading, Failure):
            return Failure(ConfigRefused(reading.failure()))
        read = reading.unwrap()
        if read.config.name.value in self._ids:
            return Failure(NameTaken(read.config.name))
        judged = permitted(self.policing, read.config, text)
        if isinstance(judged, Failure):
            return judged
        now = self._world.clock.now()
        vacant = Agent(new_agent_id(), Unloaded())
        record = AgentRecord(
            vacant.id, read.config.name, text, StateName.UNLOADED, now, "", now, now
        )
        resident = Resident(vacant, record, read, findings=judged.unwrap())
        self._keep(resident)
        async with resident.changing:
            stored = await self._permitted(resident, read.config, record)
            if isinstance(stored, Failure):
                self._drop(resident)
                return stored
            self._load_and_run(resident, vacant, read.config, "deployed")
        return Success(resident)

    async def replace(self, resident: Resident, text: str) -> Result[str, Refusal]:
        """The same agent with another file; turns that run end under the old one.

        The text of the file that was there before.
        """
        reading = read_agent(text)
        if isinstance(reading, Failure):
            return Failure(ConfigRefused(reading.failure()))
        read = reading.unwrap()
        if read.config.name != resident.record.name:
            return Failure(NameChanged(resident.record.name, read.config.name))
        cause = "its file was replaced"
        async with resident.changing:
            if self._gone(resident):
                return Failure(UnknownAgent(resident.record.name.value))
            record = evolve(resident.record, text=text, updated=self._world.clock.now())
            stored = await self._permitted(resident, read.config, record)
            if isinstance(stored, Failure):
                return stored
            before = resident.record.text
            resident.read, resident.record = read, record
            agent = resident.agent
            if isinstance(agent.state, Running):
                agent = stop(Agent(agent.id, agent.state), now=self._world.clock.now())
                self._enter(resident, agent, cause)
            vacant = self._vacated(resident, cause)
            self._load_and_run(resident, vacant, read.config, cause)
        return Success(before)

    async def start(self, resident: Resident) -> Result[Resident, Refusal]:
        """Have the agent take messages; nothing happens where it does."""
        cause = "started by request"
        async with resident.changing:
            agent = resident.agent
            state = agent.state
            config: AgentConfig
            begin: Callable[[], None]
            match state:
                case Running():
                    if resident.desk is not None:
                        resident.desk.finishing = False
                    return Success(resident)
                case Loaded() | Stopped():
                    config = state.config
                    begin = partial(self._run, resident, Agent(agent.id, state), cause)
                case Failed(config=AgentConfig() as kept):
                    config, failed = kept, Agent(agent.id, state)
                    begin = partial(self._load_and_run, resident, failed, kept, cause)
                case Failed() | Unloaded():
                    return self._wrong_state(resident, "start")
            stored = await self._permitted(resident, config, resident.record)
            if isinstance(stored, Failure):
                return stored
            begin()
        return Success(resident)

    async def stop(self, resident: Resident, *, force: bool) -> Result[Resident, Refusal]:
        """Have the agent take no more messages; nothing happens where it is stopped.

        What it was given is answered first, unless by force; whoever starts it meanwhile wins. It
        is refused where a person has to answer before.
        """
        desk = resident.desk
        if desk is not None and not force and not await desk.finish():
            waiting = desk.waiting_for_people
            refused = TurnsInFlight(resident.record.name, waiting)
            return Failure(refused) if waiting else Success(resident)
        async with resident.changing:
            agent = resident.agent
            state = agent.state
            if isinstance(state, Stopped):
                return Success(resident)
            if not isinstance(state, Running):
                return self._wrong_state(resident, "stop")
            stored = await self._intend(resident.record, StateName.STOPPED)
            if isinstance(stored, Failure):
                if desk is not None:
                    desk.finishing = False
                return stored
            stopped = stop(Agent(agent.id, state), now=self._world.clock.now())
            self._enter(resident, stopped, "stopped by request")
            await self._close_desk(resident, AgentGone("it was stopped"))
        return Success(resident)

    async def restart(self, resident: Resident, *, force: bool) -> Result[Resident, Refusal]:
        """Have the agent go on in another process, or start it where it does not run.

        Turns that run end in the old process; by force they are cut off.
        """
        if resident.config is not None:
            judged = permitted(self.policing, resident.config, resident.record.text)
            if isinstance(judged, Failure):
                return judged
        if force and isinstance(resident.agent.state, Running):
            cut_off = await self.stop(resident, force=True)
            if isinstance(cut_off, Failure):
                return cut_off
        cause = "restarted by request"
        async with resident.changing:
            agent = resident.agent
            state = agent.state
            if isinstance(state, Running):
                stopped = stop(Agent(agent.id, state), now=self._world.clock.now())
                self._enter(resident, stopped, cause)
                self._run(resident, stopped, cause)
                return Success(resident)
        return await self.start(resident)

    async def delete(self, resident: Resident, *, force: bool) -> Result[str, Refusal]:
        """Remove the agent and what it said; refused while it answers, unless by force.

        The agent itself goes last: whatever comes between, the agent that is left can be deleted.
        The text of the file that it had.
        """
        async with resident.changing:
            if self._gone(resident):
                return Failure(UnknownAgent(resident.record.name.value))
            if resident.in_flight and not force:
                return Failure(TurnsInFlight(resident.record.name, resident.in_flight))
            agent = resident.agent
            if isinstance(agent.state, Running):
                stopped = stop(Agent(agent.id, agent.state), now=self._world.clock.now())
                self._enter(resident, stopped, "deleted")
            desk = self._without_desk(resident)
            gone = AgentGone("it was deleted")
            if desk is not None:
                await desk.discard(gone)
            forgotten = await self._forget(agent.id)
            if isinstance(forgotten, Success):
                forgotten = await self._configs.remove(agent.id)
            if isinstance(forgotten, Success):
                self._vacated(resident, "deleted")
                self._drop(resident)
            elif isinstance(resident.agent.state, Stopped) and desk is not None:
                desk.keep_discarded(gone)
                stays = Agent(agent.id, resident.agent.state)
                self._run(resident, stays, "it could not be deleted")
        return forgotten.map(lambda _: resident.record.text)

    async def decide(self, resident: Resident, call: ToolCall) -> Result[Decision, Refusal]:
        """Whether a call would be made now; its file counts, whether or not the agent runs."""
        config = resident.config
        if config is None:
            return self._wrong_state(resident, "calls")
        await reach(self._world, config)
        return Success(await self._world.decided(granted(self._world, config), call))

    async def _forget(self, agent: AgentId) -> Result[None, NotStored]:
        """Remove what a deleted agent was told, said and remembered."""
        self._world.pasts.forget_agent(agent)
        if self._world.memory is not None:
            unremembered = await self._world.memory.forget_agent(agent)
            if isinstance(unremembered, Failure):
                return unremembered
        forgotten = await self._world.messages.forget_agent(agent)
        return forgotten if isinstance(forgotten, Failure) else Success(None)

    async def close(self) -> None:
        """End every agent's work; what is stored says that they ran, and how far they came."""
        async with anyio.create_task_group() as closing:
            for resident in self.residents():
                desk = self._without_desk(resident)
                if desk is not None and self._world.lasting:
                    closing.start_soon(desk.suspend)
                elif desk is not None:
                    closing.start_soon(desk.discard, AgentGone("the server stopped"))
        await self.hosts.close()

    def _keep(self, resident: Resident) -> None:
        self._residents[resident.agent.id] = resident
        self._ids[resident.agent.id.value] = resident.agent.id
        self._ids[resident.record.name.value] = resident.agent.id

    def _drop(self, resident: Resident) -> None:
        del self._residents[resident.agent.id]
        del self._ids[resident.agent.id.value], self._ids[resident.record.name.value]

    def _gone(self, resident: Resident) -> bool:
        """Whether the agent was deleted while somebody waited to change it."""
        return resident.agent.id not in self._residents

    async def _intend(self, record: AgentRecord, state: StateName) -> Result[None, NotStored]:
        """Store what an agent is about to be: a server that dies meanwhile makes it so later."""
        now = self._world.clock.now()
        return await self._configs.save(evolve(record, state=state, since=now, reason=""))

    async def _permitted(
        self, resident: Resident, config: AgentConfig, record: AgentRecord
    ) -> Result[None, Refusal]:
        """Store that an agent is about to run, where the policy of this moment permits it."""
        judged = permitted(self.policing, config, record.text)
        if isinstance(judged, Failure):
            return judged
        stored = await self._intend(record, StateName.RUNNING)
        if isinstance(stored, Success):
            resident.findings = judged.unwrap()
        return stored

    async def hold_to_policy(self) -> Sequence[Resident]:
        """Hold every agent against the policy that holds now; those that do not conform.

        They go on, unless the policy wants running ones stopped.
        """
        violating = []
        for resident in self.residents():
            async with resident.changing:
                refused = found(self.policing, resident)
            if refused is not None:
                violating.append(resident)
                if stops_violators(self.policing) and not self._gone(resident):
                    await self._fail(resident, summary(refused.report))
        return violating

    def _fail_at_start(self, resident: Resident, refused: PolicyRefused) -> None:
        """Leave an agent that does not conform any more as failed, with its configuration."""
        vacant = self._vacated(resident, _AT_START)
        if resident.config is not None:
            loaded, now = load(vacant, resident.config), self._world.clock.now()
            self._enter(resident, fail(loaded, summary(refused.report), now=now), _AT_START)

    def _wrong_state(self, resident: Resident, step: str) -> Failure[Refusal]:
        state = state_name(resident.agent).value
        return Failure(WrongState(resident.record.name, state, step))

    def _vacated(self, resident: Resident, cause: str) -> Agent[Unloaded]:
        agent = resident.agent
        state = agent.state
        match state:
            case Loaded() | Stopped() | Failed():
                vacant = unload(Agent(agent.id, state))
                self._enter(resident, vacant, cause)
                return vacant
            case Unloaded():
                return Agent(agent.id, state)
            case Running():
                message = "an agent is stopped before it is unloaded"
                raise AssertionError(message)

    def _load_and_run(
        self, resident: Resident, agent: Agent[Unloaded | Failed], config: AgentConfig, cause: str
    ) -> None:
        loaded = load(agent, config)
        self._enter(resident, loaded, cause)
        self._run(resident, loaded, cause)
        self._tasks.start_soon(reach, self._world, config)

    def _run(self, resident: Resident, agent: Agent[Loaded | Stopped], cause: str) -> None:
        self._desks.furnish(resident, agent.state.config)
        self._enter(resident, start(agent, now=self._world.clock.now()), cause)

    async def _fail(self, resident: Resident, reason: str) -> None:
        async with resident.changing:
            agent = resident.agent
            if not isinstance(agent.state, Running):
                return
            failed = fail(Agent(agent.id, agent.state), reason, now=self._world.clock.now())
            self._enter(resident, failed, reason)
            await self._close_desk(resident, AgentGone(f"it failed: {reason}"))
            stored = await self._configs.save(resident.record)
            if isinstance(stored, Failure):
                why = stored.failure().why
                _LOG.error("that %s failed is not stored: %s", resident.record.name, why)

    async def _close_desk(self, resident: Resident, why: AgentGone) -> None:
        desk = self._without_desk(resident)
        if desk is not None:
            await desk.close(why)

    def _without_desk(self, resident: Resident) -> Desk | None:
        desk, resident.desk = resident.desk, None
        if desk is not None:
            resident.restarts += desk.restarts
            resident.refused_calls += desk.refused_calls
            resident.last_activity = desk.last_activity or resident.last_activity
            resident.last_death = desk.last_death or resident.last_death
        return desk

    def _enter(self, resident: Resident, agent: AnyAgent, cause: str) -> None:
        now = self._world.clock.now()
        reason = agent.state.reason if isinstance(agent.state, Failed) else ""
        resident.agent = agent
        resident.record = evolve(resident.record, state=state_name(agent), since=now, reason=reason)
        self._world.events.tell(entered(agent, cause=cause, now=now))
