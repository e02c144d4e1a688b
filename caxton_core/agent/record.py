"""An agent as a store keeps it: the text that it was deployed from, and its state."""

from datetime import datetime
from enum import Enum
from typing import final

from attrs import frozen

from caxton_core.agent.config import AgentConfig
from caxton_core.agent.lifecycle import (
    Agent,
    AnyAgent,
    Failed,
    Loaded,
    Running,
    Stopped,
    Unloaded,
)
from caxton_core.primitives import AgentId, AgentName


@final
class StateName(Enum):
    """The state's name for stores and people."""

    UNLOADED = "unloaded"
    LOADED = "loaded"
    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"


@final
@frozen
class AgentRecord:
    """What is stored of an agent; `since` is when it entered its state, `reason` why it failed."""

    id: AgentId
    name: AgentName
    text: str
    state: StateName
    since: datetime
    reason: str
    created: datetime
    updated: datetime


def state_name(agent: AnyAgent) -> StateName:
    """What the agent's state is called."""
    match agent.state:
        case Unloaded():
            return StateName.UNLOADED
        case Loaded():
            return StateName.LOADED
        case Running():
            return StateName.RUNNING
        case Stopped():
            return StateName.STOPPED
        case Failed():
            return StateName.FAILED


def restored(record: AgentRecord, config: AgentConfig | None) -> AnyAgent:
    """The agent of the record; `config` is what its text reads as, None where it does not read.

    An agent that needs a configuration and has none comes back as failed.
    """
    match record.state:
        case StateName.UNLOADED:
            return Agent(record.id, Unloaded())
        case StateName.FAILED:
            return Agent(record.id, Failed(record.reason, record.since, config))
        case StateName.LOADED | StateName.RUNNING | StateName.STOPPED if config is None:
            reason = "the stored agent file has problems"
            return Agent(record.id, Failed(reason, record.since))
        case StateName.LOADED:
            return Agent(record.id, Loaded(config))
        case StateName.RUNNING:
            return Agent(record.id, Running(config, record.since))
        case StateName.STOPPED:
            return Agent(record.id, Stopped(config, record.since))
