"""Agents and messages: who has failed, what waits, and who takes how much of the machine."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import islice
from typing import Final, final

import anyio
from anyio.lowlevel import checkpoint
from attrs import define, field

from caxton_adapters.health.component import Component, Fact, Part, Status
from caxton_adapters.runtime.resident import Resident
from caxton_adapters.runtime.ticket import Ticket
from caxton_core.agent.record import StateName
from caxton_core.ports import Clock
from caxton_core.primitives import AgentId

NAMED: Final = 10
"""How many failed agents the reason names; the rest is counted."""
LATE: Final = timedelta(minutes=15)
"""A message that is at work for longer is worth a look."""
_AT_ONE_GO: Final = 50


def agents(residents: Callable[[], Sequence[Resident]]) -> Part:
    """How many agents are in each state, and why which have failed."""

    def look() -> Component:
        found = residents()
        counted = dict(Counter(resident.record.state.value for resident in found))
        failed = [each.record for each in found if each.record.state is StateName.FAILED]
        if not failed:
            return Component("agents", facts=counted)
        named = [f"{record.name}: {record.reason}" for record in islice(failed, NAMED)]
        more = [f"and {len(failed) - NAMED} more"] if len(failed) > NAMED else []
        return Component("agents", Status.WARN, "; ".join([*named, *more]), counted)

    return look


def journal(
    unfinished: Callable[[], int], oldest: Callable[[], Ticket | None], clock: Clock
) -> Part:
    """How many messages were accepted and have no outcome yet, and the oldest of them."""

    def look() -> Component:
        count, first = unfinished(), oldest()
        facts: dict[str, Fact] = {"unfinished": count}
        if first is None:
            return Component("journal", facts=facts)
        age = clock.now() - first.accepted
        seconds = round(age.total_seconds(), 3)
        facts |= {"oldest": first.message.value, "oldest_seconds": seconds}
        if age <= LATE:
            return Component("journal", facts=facts)
        reason = f"message {first.message} to {first.agent_name} is at work for {seconds:.0f} s"
        return Component("journal", Status.WARN, reason, facts)

    return look


@final
@define(eq=False)
class CpuShares:
    """How much of one processor each agent had between the last two looks."""

    _residents: Callable[[], Sequence[Resident]]
    _used: dict[AgentId, tuple[float, float]] = field(factory=dict, init=False)
    _shares: dict[AgentId, float] = field(factory=dict, init=False)

    def of(self, agent: AgentId) -> float | None:
        """The share of an agent; None where it was not looked at twice."""
        return self._shares.get(agent)

    async def look(self) -> None:
        """Look at all agents, a few at one go: what runs beside must not wait for that."""
        used: dict[AgentId, tuple[float, float]] = {}
        shares: dict[AgentId, float] = {}
        for number, resident in enumerate(self._residents(), 1):
            if resident.desk is not None:
                agent, now = resident.agent.id, anyio.current_time()
                seconds = resident.desk.host.use().cpu_seconds
                used[agent] = seconds, now
                if agent in self._used:
                    before, then = self._used[agent]
                    shares[agent] = max(0.0, seconds - before) / max(now - then, 1e-3)
            if number % _AT_ONE_GO == 0:
                await checkpoint()
        self._used, self._shares = used, shares
