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
from caxton_core.conversation.message import Message
from caxton_core.conversation.model import FinishReason, ModelRequest
from caxton_core.conversation.outcome import (
    AgentCrashed,
    AgentGone,
    Answered,
    DeadLettered,
    NotAnswered,
    Outcome,
    OutcomeUnknown,
    TurnFailure,
)
from caxton_core.conversation.past import ConversationKey, Summary
from caxton_core.conversation.turn import (
    AskModel,
    BudgetReached,
    CallTools,
    Cancelled,
    DeadlinePassed,
    GiveUp,
    ModelFailed,
    OutOfOrder,
    Reply,
    Step,
    TokensSpent,
    TooManyToolRounds,
)
from caxton_core.events import (
    ApprovalAsked,
    ApprovalGiven,
    CallAnswered,
    CallBegun,
    CallOutcome,
    CallRefused,
    Event,
    MessageAccepted,
    MessageEnded,
    MessageReopened,
    Observed,
    ProcessEnded,
    ProcessStarted,
    StepTaken,
    ToolCalled,
    TurnEvent,
    TurnResumed,
    entered,
)
from caxton_core.primitives import TokenCount
from caxton_core.storage import NotRead
from caxton_core.testing.agent import (
    agent_configs,
    agent_ids,
    agent_names,
    conversation_ids,
    message_ids,
    texts,
)
from caxton_core.testing.conversation import (
    candidates,
    failures,
    histories,
    messages,
    observations,
    requested_calls,
    seconds,
    sound_calls,
    tool_results,
    usages,
)
from caxton_core.tools.approval import Approval, ApprovalId, Approved, Denied, Expired, Said

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
any_texts: SearchStrategy[str] = st.text(st.characters(), max_size=20)
"""Texts as a sender may give them to a program: also with NUL and lone surrogates."""

said: SearchStrategy[tuple[Message, ...]] = st.lists(messages, max_size=4).map(tuple)
summaries: SearchStrategy[Summary] = st.builds(Summary, texts, st.integers(1, 9))
places: SearchStrategy[ConversationKey] = st.builds(
    ConversationKey, conversation_ids, st.none() | agent_ids
)
budget_reached: SearchStrategy[BudgetReached] = st.builds(
    BudgetReached, texts, texts, st.none() | seconds
)
turn_failures: SearchStrategy[TurnFailure] = st.one_of(
    st.builds(ModelFailed, failures, st.integers(0, 1)),
    st.builds(TooManyToolRounds, st.integers(1, 16)),
    st.builds(TokensSpent, st.integers(1, 5000).map(TokenCount)),
    budget_reached,
    st.builds(DeadlinePassed),
    st.builds(Cancelled),
    st.builds(OutOfOrder, texts, texts),
    st.builds(AgentCrashed, texts),
    st.builds(AgentGone, texts),
    st.builds(OutcomeUnknown, st.lists(sound_calls, max_size=2).map(tuple)),
    st.builds(DeadLettered, st.integers(1, 5)),
    st.builds(NotRead, texts),
)
answers: SearchStrategy[Answered] = st.builds(
    Answered,
    texts,
    st.sampled_from(FinishReason),
    texts,
    usages,
    st.lists(requested_calls, max_size=2).map(tuple),
)
outcomes: SearchStrategy[Outcome] = answers | st.builds(NotAnswered, turn_failures, usages)

model_steps: SearchStrategy[AskModel] = st.builds(
    AskModel, candidates, st.builds(ModelRequest, histories)
)
steps: SearchStrategy[Step] = st.one_of(
    model_steps,
    st.builds(CallTools, st.lists(sound_calls, min_size=1, max_size=3).map(tuple)),
    st.builds(
        Reply, texts, st.sampled_from(FinishReason), texts, said, usages, st.none() | summaries
    ),
    st.builds(GiveUp, st.one_of(st.builds(Cancelled), budget_reached), usages),
)
approval_ids: SearchStrategy[ApprovalId] = st.integers(0, 16**20 - 1).map(
    lambda number: ApprovalId(f"apr_{number:020x}")
)
approvals: SearchStrategy[Approval] = st.builds(
    Approval, approval_ids, sound_calls, moments, moments, st.lists(texts, max_size=2).map(tuple)
)
consents: SearchStrategy[Said] = st.one_of(
    st.builds(Approved, any_texts), st.builds(Denied, any_texts, any_texts), st.builds(Expired)
)
turn_events: SearchStrategy[TurnEvent] = st.one_of(
    st.builds(
        MessageAccepted,
        agent_ids,
        moments,
        message_ids,
        conversation_ids,
        texts,
        st.none() | texts,
        st.booleans(),
        st.booleans(),
    ),
    st.builds(TurnResumed, agent_ids, moments, message_ids, st.integers(1, 5)),
    st.builds(StepTaken, agent_ids, moments, message_ids, steps),
    st.builds(ApprovalAsked, agent_ids, moments, message_ids, approvals),
    st.builds(ApprovalGiven, agent_ids, moments, message_ids, approval_ids, consents),
    st.builds(CallBegun, agent_ids, moments, message_ids, texts),
    st.builds(CallAnswered, agent_ids, moments, message_ids, tool_results),
    st.builds(Observed, agent_ids, moments, message_ids, observations),
    st.builds(MessageEnded, agent_ids, moments, message_ids, outcomes, said, st.none() | summaries),
    st.builds(
        MessageReopened,
        agent_ids,
        moments,
        message_ids,
        st.lists(tool_results, max_size=2).map(tuple),
    ),
)
pids = st.integers(1, 2**22)
events: SearchStrategy[Event] = st.one_of(
    st.builds(
        lambda agent, cause, now: entered(agent, cause=cause, now=now), agents, texts, moments
    ),
    st.builds(ProcessStarted, agent_ids, moments, pids),
    st.builds(ProcessEnded, agent_ids, moments, pids, texts),
    st.builds(
        lambda agent, at, message, call, seconds, outcome: ToolCalled(
            agent, at, message, call.name, call.arguments, seconds, outcome
        ),
        agent_ids,
        moments,
        message_ids,
        sound_calls,
        seconds,
        st.sampled_from(CallOutcome),
    ),
    st.builds(
        lambda agent, at, message, call, why: CallRefused(
            agent, at, message, call.name, call.arguments, (why,)
        ),
        agent_ids,
        moments,
        message_ids,
        sound_calls,
        texts,
    ),
    turn_events,
)
