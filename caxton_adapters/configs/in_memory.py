"""Deployed agents for as long as the process lives."""

from collections.abc import Sequence
from typing import final

from attrs import define, field
from returns.result import Result, Success

from caxton_core.agent.record import AgentRecord
from caxton_core.primitives import AgentId
from caxton_core.storage import NotStored


@final
@define
class InMemoryConfigs:
    """Keeps records in a dict."""

    _records: dict[AgentId, AgentRecord] = field(factory=dict, init=False)

    async def save(self, record: AgentRecord) -> Result[None, NotStored]:
        """Store the record in place of what was stored under its identity."""
        self._records[record.id] = record
        return Success(None)

    async def remove(self, agent: AgentId) -> Result[None, NotStored]:
        """Forget an agent."""
        self._records.pop(agent, None)
        return Success(None)

    async def stored(self) -> Sequence[AgentRecord]:
        """Every agent as it was saved last, in the order of creation."""
        return sorted(self._records.values(), key=lambda record: record.created)
