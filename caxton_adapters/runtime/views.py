"""Agents as they are at one moment, for whoever looks."""

from datetime import datetime
from typing import final

from attrs import frozen

from caxton_adapters.runtime.isolation.choice import Hosts
from caxton_adapters.runtime.isolation.host import ResourceUse
from caxton_adapters.runtime.resident import Resident
from caxton_core.agent.config import AgentConfig
from caxton_core.agent.record import StateName
from caxton_core.agent.sections import Isolation
from caxton_core.limits import Balance
from caxton_core.primitives import AgentId, AgentName
from caxton_core.reading.report import Report


@final
@frozen
class AgentView:
    """An agent as it is at one moment.

    `replaced` is the text of the file before, told to whoever has replaced it.
    """

    id: AgentId
    name: AgentName
    state: StateName
    since: datetime
    reason: str
    config: AgentConfig | None
    warnings: Report | None
    text: str
    created: datetime
    updated: datetime
    isolation: Isolation
    running: int
    waiting: int
    restarts: int
    refused_calls: int
    last_activity: datetime | None
    last_death: str
    use: ResourceUse
    balances: tuple[Balance, ...]
    findings: Report | None = None
    replaced: str | None = None


def view_of(resident: Resident, hosts: Hosts) -> AgentView:
    """The agent now."""
    record, desk, config = resident.record, resident.desk, resident.config
    return AgentView(
        id=record.id,
        name=record.name,
        state=record.state,
        since=record.since,
        reason=record.reason,
        config=config,
        warnings=None if resident.read is None else resident.read.warnings,
        text=record.text,
        created=record.created,
        updated=record.updated,
        isolation=hosts.default if config is None else hosts.isolation(config),
        running=0 if desk is None else len(desk.mailbox.running),
        waiting=0 if desk is None else desk.mailbox.waiting,
        restarts=resident.restarts + (0 if desk is None else desk.restarts),
        refused_calls=resident.refused_calls + (0 if desk is None else desk.refused_calls),
        last_activity=(desk and desk.last_activity) or resident.last_activity,
        last_death=(desk.last_death if desk else "") or resident.last_death,
        use=ResourceUse(0.0) if desk is None else desk.host.use(),
        balances=() if resident.budget is None else resident.budget.balances(),
        findings=resident.findings,
    )
