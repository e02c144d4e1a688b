"""The life of an agent: its states and the steps between them, checked by the type checker.

A step takes only the states that it may leave, so a wrong step does not type-check. A value of a
state that was left can still be held: the one table of the supervisor says which value counts.
"""

from datetime import datetime
from typing import Generic, TypeAlias, TypeVar, final

from attrs import frozen

from caxton_core.agent.config import AgentConfig
from caxton_core.primitives import AgentId


@final
@frozen
class Unloaded:
    """Nothing but the identity is there."""


@final
@frozen
class Loaded:
    """The configuration was read and is ready to run."""

    config: AgentConfig


@final
@frozen
class Running:
    """Takes messages."""

    config: AgentConfig
    since: datetime


@final
@frozen
class Stopped:
    """Keeps its configuration and takes no messages."""

    config: AgentConfig
    since: datetime


@final
@frozen
class Failed:
    """Takes no messages; `reason` is for people, `config` is None where none could be read."""

    reason: str
    since: datetime
    config: AgentConfig | None = None


State: TypeAlias = Unloaded | Loaded | Running | Stopped | Failed
S_co = TypeVar("S_co", bound=State, covariant=True)


@final
@frozen
class Agent(Generic[S_co]):
    """An agent in a state; the state carries what there is to know in it."""

    id: AgentId
    state: S_co


AnyAgent: TypeAlias = (
    Agent[Unloaded] | Agent[Loaded] | Agent[Running] | Agent[Stopped] | Agent[Failed]
)


def load(agent: Agent[Unloaded | Failed], config: AgentConfig) -> Agent[Loaded]:
    """Take a configuration."""
    return Agent(agent.id, Loaded(config))


def start(agent: Agent[Loaded | Stopped], *, now: datetime) -> Agent[Running]:
    """Begin to take messages."""
    return Agent(agent.id, Running(agent.state.config, now))


def stop(agent: Agent[Running], *, now: datetime) -> Agent[Stopped]:
    """Take no more messages."""
    return Agent(agent.id, Stopped(agent.state.config, now))


def fail(agent: Agent[Unloaded | Loaded | Running], reason: str, *, now: datetime) -> Agent[Failed]:
    """Give up until a person or a new configuration helps."""
    state = agent.state
    config = None if isinstance(state, Unloaded) else state.config
    return Agent(agent.id, Failed(reason, now, config))


def unload(agent: Agent[Loaded | Stopped | Failed]) -> Agent[Unloaded]:
    """Forget the configuration."""
    return Agent(agent.id, Unloaded())


def recovered(
    agent: AnyAgent, *, now: datetime
) -> Agent[Unloaded] | Agent[Loaded] | Agent[Stopped] | Agent[Failed]:
    """The agent as it comes back from a store: one that was running has been stopped."""
    state = agent.state
    match state:
        case Running(config):
            return Agent(agent.id, Stopped(config, now))
        case Unloaded():
            return Agent(agent.id, state)
        case Loaded():
            return Agent(agent.id, state)
        case Stopped():
            return Agent(agent.id, state)
        case Failed():
            return Agent(agent.id, state)
