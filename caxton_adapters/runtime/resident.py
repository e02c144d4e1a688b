"""An agent as its supervisor has it, with all that belongs to it while the server runs."""

from datetime import datetime
from typing import final

import anyio
from attrs import define, field

from caxton_adapters.runtime.daily_budget import DailyBudget
from caxton_adapters.runtime.desk import Desk
from caxton_core.agent.config import AgentConfig
from caxton_core.agent.lifecycle import AnyAgent
from caxton_core.agent.record import AgentRecord
from caxton_core.agent.toml import ReadAgent
from caxton_core.reading.report import Report


@final
@define(eq=False)
class Resident:
    """An agent in the supervisor's table; `desk` is there while it runs.

    What is counted beside it stands there of the desks that it had before; `findings` is what the
    policy says of it.
    """

    agent: AnyAgent
    record: AgentRecord
    read: ReadAgent | None
    desk: Desk | None = None
    restarts: int = 0
    refused_calls: int = 0
    last_activity: datetime | None = None
    last_death: str = ""
    budget: DailyBudget | None = None
    equipped: tuple[int, int] | None = None
    """Which offers and which rules the desk's grant was made from."""
    findings: Report | None = None
    changing: anyio.Lock = field(factory=anyio.Lock)

    @property
    def config(self) -> AgentConfig | None:
        """What the agent's file says, where it could be read."""
        return None if self.read is None else self.read.config

    @property
    def takes_messages(self) -> bool:
        """Whether it runs and is not about to be stopped."""
        return self.desk is not None and not self.desk.finishing

    @property
    def in_flight(self) -> int:
        """How many messages wait or are being answered."""
        if self.desk is None:
            return 0
        return self.desk.mailbox.waiting + len(self.desk.mailbox.running)
