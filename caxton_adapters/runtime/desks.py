"""What an agent works at while it runs: its desk, with its host, its tools and its budget."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import final

from attrs import define, evolve

from caxton_adapters.runtime.answering import Terms
from caxton_adapters.runtime.daily_budget import DailyBudget
from caxton_adapters.runtime.desk import Desk
from caxton_adapters.runtime.errands import Errands
from caxton_adapters.runtime.granting import granted, offers, reach
from caxton_adapters.runtime.isolation.choice import Hosts
from caxton_adapters.runtime.isolation.host import Host
from caxton_adapters.runtime.resident import Resident
from caxton_adapters.runtime.ticket import Ticket
from caxton_adapters.runtime.world import World
from caxton_core.agent.config import AgentConfig
from caxton_core.agent.sections import Budget, ConversationRules, ConversationScope, WindowStrategy
from caxton_core.conversation.turn import rules_of


@final
@define(eq=False)
class Desks:
    """Furnishes the desks of agents that run; `failed` is told of one that died too often."""

    _hosts: Hosts
    _world: World
    _tasks: Errands
    _finished: Callable[[Ticket], None]
    _failed: Callable[[Resident, str], Coroutine[object, object, None]]

    def furnish(self, resident: Resident, config: AgentConfig) -> None:
        """Give the agent a desk, or the one that it has what its file says now."""
        terms = self._terms(resident, config)
        desk = resident.desk
        if desk is None:
            desk = Desk(
                resident.agent.id,
                config.resources,
                terms,
                self._world,
                self._tasks,
                self._finished,
                lambda reason: self._tasks.start_soon(self._failed, resident, reason),
                partial(self._equip, resident),
            )
            resident.desk = desk
        desk.adopt(config.resources, terms)
        self._move_in(desk, config)
        self._tasks.start_soon(self._hosts.get_ready, config)

    def _move_in(self, desk: Desk, config: AgentConfig) -> None:
        rules = rules_of(config, desk.terms.grant.tools)
        before = desk.move_in(self._hosts.host(config, rules, desk))
        if before is not None:
            self._tasks.start_soon(_close, before)

    async def _equip(self, resident: Resident) -> None:
        """Before each turn: grant the agent what is offered now, under the rules of now."""
        config = resident.config
        if config is None or not config.tools:
            return
        await reach(self._world, config)
        seen, desk = offers(self._world), resident.desk
        if desk is None or resident.equipped == seen or resident.config is not config:
            return
        before = desk.terms.grant
        desk.terms = evolve(desk.terms, grant=granted(self._world, config))
        resident.equipped = seen
        if desk.terms.grant.tools != before.tools:
            self._move_in(desk, config)

    def _terms(self, resident: Resident, config: AgentConfig) -> Terms:
        resident.equipped = None
        return Terms(
            granted(self._world, config),
            config.resources.tool_timeout.value,
            config.conversation.idle_timeout.value,
            _exchanges(config.conversation),
            config.conversation.scope is ConversationScope.SHARED,
            config.conversation.persist,
            self.keep_budget(resident, config.budget),
        )

    def keep_budget(self, resident: Resident, written: Budget) -> DailyBudget | None:
        """What the agent may still spend today; one that its file no longer limits is kept."""
        if resident.budget is not None:
            resident.budget.adopt(written)
        if written.tokens_per_day is None and written.cost_per_day is None:
            return None
        if resident.budget is None:
            resident.budget = DailyBudget(self._world.clock)
            resident.budget.adopt(written)
        return resident.budget


def _exchanges(rules: ConversationRules) -> int | None:
    """How much of a conversation is read: all of it where a summary has to be made of the rest."""
    return None if rules.strategy is WindowStrategy.SUMMARIZE else rules.max_turns.value


async def _close(host: Host) -> None:
    await host.close()
