"""Hypothesis strategies for lives of agents, their records, and everything that happens."""

from datetime import UTC

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from caxton_core.agent.lifecycle import (
    Agent,
    AnyAgent,
    Failed,
    Loaded,
    Running,
    State,
    Stopped,
    Unloaded,
)
from caxton_core.agent.record import AgentRecord, StateName
from caxton_core.conversation.turn import Step, begin
from caxton_core.events import (
    Event,
    MessageAccepted,
    Observed,
    ProcessEnded,
    ProcessStarted,
    StepTaken,
    entered,
)
from caxton_core.testing.agent import (
    agent_configs,
    agent_ids,
    agent_names,
    conversation_ids,
    message_ids,
    texts,
)
from caxton_core.testing.conversation import observations, pasts, turn_rules

moments = st.datetimes(timezones=st.just(UTC))
"""Times of day, in UTC."""

states: SearchStrategy[State] = st.one_of(
    st.builds(Unloaded),
    st.builds(Loaded, agent_configs),
    st.builds(Running, agent_configs, moments),
    st.builds(Stopped, agent_configs, moments),
    st.builds(Failed, texts, moments, st.none() | agent_configs),
)
agents: SearchStrategy[AnyAgent] = st.builds(Agent, agent_ids, states)
records: SearchStrategy[AgentRecord] = st.builds(
    AgentRecord,
    agent_ids,
    agent_names,
    texts,
    st.sampled_from(StateName),
    moments,
    texts,
    moments,
    moments,
)
steps: SearchStrategy[Step] = st.builds(begin, turn_rules, pasts, texts).map(lambda turn: turn.step)
pids = st.integers(1, 2**22)
events: SearchStrategy[Event] = st.one_of(
    st.builds(
        lambda agent, cause, now: entered(agent, cause=cause, now=now), agents, texts, moments
    ),
    st.builds(ProcessStarted, agent_ids, moments, pids),
    st.builds(ProcessEnded, agent_ids, moments, pids, texts),
    st.builds(MessageAccepted, agent_ids, moments, message_ids, conversation_ids, texts),
    st.builds(StepTaken, agent_ids, moments, message_ids, steps),
    st.builds(Observed, agent_ids, moments, message_ids, observations),
)
