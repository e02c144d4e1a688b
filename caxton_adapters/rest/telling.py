"""What the runtime knows, as it stands on the wire."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from caxton_adapters.health.checkup import Seen
from caxton_adapters.rest import archive_wire, wire
from caxton_adapters.rest.failures import of_turn
from caxton_adapters.rest.placed import error_items
from caxton_adapters.rest.problem import ErrorItem, details
from caxton_adapters.runtime.approvals import Request
from caxton_adapters.runtime.archive import KnownConversation
from caxton_adapters.runtime.ticket import Ticket
from caxton_adapters.runtime.views import AgentView
from caxton_core.conversation.message import AssistantMessage, Message, ToolMessage, UserMessage
from caxton_core.conversation.outcome import Answered, NotAnswered, OutcomeUnknown
from caxton_core.limits import Balance, Unit, Usage
from caxton_core.tools.approval import Approval, Approved, Denied, Said
from caxton_core.tools.tool import (
    BrokenToolCall,
    RequestedCall,
    ToolCall,
    ToolFailed,
    ToolResult,
    ToolSucceeded,
)


def message_answer(ticket: Ticket, answered: Answered) -> wire.MessageAnswer:
    """The answer to a message."""
    return wire.MessageAnswer(
        ticket.message.value,
        ticket.conversation.value,
        ticket.agent_name.value,
        answered.text,
        answered.finish.value,
        _usage(answered.usage),
        tuple(map(_call, answered.calls)),
    )


def message_accepted(ticket: Ticket) -> wire.MessageAccepted:
    """A message whose answer is not waited for, or not yet there."""
    return wire.MessageAccepted(
        ticket.message.value,
        ticket.conversation.value,
        ticket.agent_name.value,
        ticket.state.value,
    )


def message_state(ticket: Ticket, request_id: str) -> wire.MessageState:
    """A message and what became of it."""
    answer = problem = None
    unknown: tuple[ToolCall, ...] = ()
    match ticket.outcome:
        case Answered() as answered:
            answer = message_answer(ticket, answered)
        case NotAnswered(why):
            problem = details(of_turn(why), request_id)
            unknown = why.calls if isinstance(why, OutcomeUnknown) else ()
        case None:
            pass
    return wire.MessageState(
        ticket.message.value,
        ticket.conversation.value,
        ticket.agent_name.value,
        ticket.state.value,
        answer,
        problem,
        _time(ticket.accepted),
        ticket.incoming.text,
        tuple(map(_call, unknown)),
        tuple(approval_asked(ticket, each) for each in ticket.approvals),
    )


def approval_body(request: Request, said: Said | None) -> wire.ApprovalBody:
    """A call that waits for a person, or what was said of it."""
    approval = request.approval
    return wire.ApprovalBody(
        approval.id.value,
        "waiting" if said is None else type(said).__name__.lower(),
        request.agent_name.value,
        request.message.value,
        request.conversation.value,
        approval.call.name.value,
        msgspec.Raw(approval.call.arguments.value.encode("utf-8")),
        _time(approval.asked),
        _time(approval.expires),
        approval.why,
        said.by if isinstance(said, Approved | Denied) else None,
        (said.reason or None) if isinstance(said, Denied) else None,
    )


def approval_asked(ticket: Ticket, approval: Approval) -> wire.ApprovalBody:
    """What a person is asked about a message."""
    asked = Request(approval, ticket.agent, ticket.agent_name, ticket.message, ticket.conversation)
    return approval_body(asked, None)


def exported_message(
    ticket: Ticket, said: tuple[Message, ...], request_id: str
) -> archive_wire.ExportedMessage:
    """A message with everything that was said in its turn."""
    state = message_state(ticket, request_id)
    answered = ticket.outcome if isinstance(ticket.outcome, Answered) else None
    return archive_wire.ExportedMessage(
        state.message_id,
        state.conversation_id,
        state.agent,
        _time(ticket.accepted),
        state.status,
        state.text,
        tuple(map(_said, said)),
        None if answered is None else answered.model,
        None if answered is None else answered.finish.value,
        None if answered is None else _usage(answered.usage),
        state.problem,
    )


def conversation_body(known: KnownConversation) -> archive_wire.ConversationBody:
    """A conversation as it stands in a list."""
    view = known.view
    return archive_wire.ConversationBody(
        view.place.conversation.value,
        None if known.agent is None else known.agent.value,
        view.messages,
        _time(view.created),
        _time(view.last_used),
        view.summary,
    )


def agent_summary(agent: AgentView) -> wire.AgentSummary:
    """The agent as it stands in a list."""
    config = agent.config
    return wire.AgentSummary(
        id=agent.id.value,
        name=agent.name.value,
        state=agent.state.value,
        version="" if config is None else config.version.value,
        description="" if config is None else config.description.value,
        capabilities=_capabilities(agent),
    )


def agent_details(agent: AgentView, cpu_share: float | None = None) -> wire.AgentDetails:
    """All there is to know about the agent."""
    listed = agent_summary(agent)
    return wire.AgentDetails(
        id=listed.id,
        name=listed.name,
        state=listed.state,
        version=listed.version,
        description=listed.description,
        capabilities=listed.capabilities,
        config=agent.text,
        created=_time(agent.created),
        updated=_time(agent.updated),
        since=_time(agent.since),
        resources=_resources(agent, cpu_share),
        last_activity=None if agent.last_activity is None else _time(agent.last_activity),
        reason=agent.reason or None,
        last_death=agent.last_death or None,
        budget=_budget(agent.balances),
        warnings=_warnings(agent),
        violations=() if agent.findings is None else error_items(agent.findings.errors),
    )


def _warnings(agent: AgentView) -> tuple[ErrorItem, ...]:
    """What deserves a look in its file, and what the policy finds."""
    of_file = () if agent.warnings is None else agent.warnings.placed
    of_policy = () if agent.findings is None else agent.findings.warnings
    return error_items((*of_file, *of_policy))


def agent_health(agent: AgentView, cpu_share: float | None) -> wire.AgentHealth:
    """The agent as its operator watches it."""
    return wire.AgentHealth(
        id=agent.id.value,
        name=agent.name.value,
        state=agent.state.value,
        since=_time(agent.since),
        reason=agent.reason or None,
        last_activity=None if agent.last_activity is None else _time(agent.last_activity),
        last_death=agent.last_death or None,
        resources=_resources(agent, cpu_share),
    )


def component_body(seen: Seen) -> wire.ComponentBody:
    """A part of the server and how it does."""
    part = seen.component
    facts = {
        name: dict(fact) if isinstance(fact, Mapping) else fact for name, fact in part.facts.items()
    }
    return wire.ComponentBody(part.name, part.status.value, _time(seen.since), part.reason, facts)


def _capabilities(agent: AgentView) -> tuple[str, ...]:
    if agent.config is None:
        return ()
    return tuple(capability.value for capability in agent.config.capabilities)


def _resources(agent: AgentView, cpu_share: float | None) -> wire.ResourceUse:
    return wire.ResourceUse(
        isolation=agent.isolation.value,
        pid=agent.use.pid,
        cpu_seconds=agent.use.cpu_seconds,
        cpu_share=None if cpu_share is None else round(cpu_share, 4),
        memory_bytes=agent.use.memory_bytes,
        running=agent.running,
        waiting=agent.waiting,
        restarts=agent.restarts,
        refused_calls=agent.refused_calls,
    )


def _budget(balances: tuple[Balance, ...]) -> wire.BudgetBody | None:
    """Money is counted in billionths of a dollar and shown in dollars."""
    tokens = cost = None
    for each in balances:
        amounts = (each.limit.amount, each.spent, each.reserved, each.left)
        if each.limit.unit is Unit.TOKENS:
            tokens = wire.TokenBalance(*amounts)
        elif each.limit.unit is Unit.MONEY:
            cost = wire.CostBalance(*(amount / 1e9 for amount in amounts))
    return wire.BudgetBody(tokens, cost) if balances else None


def _usage(usage: Usage) -> wire.UsageBody:
    cost = None if usage.cost is None else usage.cost.dollars
    return wire.UsageBody(usage.prompt_tokens, usage.completion_tokens, cost)


def _call(call: RequestedCall) -> wire.ToolCallBody:
    match call:
        case ToolCall():
            arguments = msgspec.Raw(call.arguments.value.encode("utf-8"))
            return wire.ToolCallBody(call.id, call.name.value, arguments)
        case BrokenToolCall():
            arguments = msgspec.Raw(msgspec.json.encode(call.arguments))
            return wire.ToolCallBody(call.id, call.name, arguments, call.why)


def _said(message: Message) -> archive_wire.SaidBody:
    match message:
        case UserMessage(text):
            return archive_wire.SaidBody("user", text)
        case AssistantMessage(text, calls):
            return archive_wire.SaidBody("assistant", text, tuple(map(_call, calls)))
        case ToolMessage(result):
            return _told(result)


def _told(result: ToolResult) -> archive_wire.SaidBody:
    match result:
        case ToolSucceeded(call_id, text):
            return archive_wire.SaidBody("tool", text, call_id=call_id)
        case ToolFailed(call_id, why):
            return archive_wire.SaidBody("tool", why, call_id=call_id, failed=True)


def _time(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
