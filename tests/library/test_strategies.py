"""The strategies make what they say: events, agents and records, each of them a sound value."""

from hypothesis import HealthCheck, given, settings

from caxton_adapters.rest.event_body import named
from caxton_core import AgentRecord, AnyAgent, Event
from caxton_core.agent.record import restored, state_name
from caxton_core.testing.events import agents, events, records


@settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(events)
def test_every_event_can_be_told_on_the_wire(event: Event) -> None:
    name, body = named(event)
    assert name
    assert body.agent_id == event.agent.value


@settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(agents, records)
def test_every_agent_has_a_named_state_and_every_record_an_agent(
    agent: AnyAgent, record: AgentRecord
) -> None:
    assert state_name(agent).value
    assert restored(record, None).id == record.id
