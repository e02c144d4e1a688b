"""An agent's life: its steps, its return from a store, and how often it may die."""

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from caxton_core.agent.config import AgentConfig
from caxton_core.agent.lifecycle import (
    Agent,
    AnyAgent,
    Failed,
    Loaded,
    Running,
    Stopped,
    Unloaded,
    fail,
    load,
    recovered,
    start,
    stop,
    unload,
)
from caxton_core.agent.record import AgentRecord, restored, state_name
from caxton_core.agent.restarts import (
    LONGEST_DELAY,
    MOST_DEATHS,
    DiedTooOften,
    RestartAfter,
    after_death,
)
from caxton_core.events import (
    AgentFailed,
    AgentLoaded,
    AgentStarted,
    AgentStopped,
    AgentUnloaded,
    entered,
)
from caxton_core.primitives import AgentId, AgentName, SystemPrompt
from tests.acceptance.criteria import criterion

NOW = datetime(2026, 1, 2, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
CONFIG = AgentConfig(AgentName("greeter"), SystemPrompt("You greet."))
VACANT = Agent(AgentId("00000000-0000-4000-8000-000000000001"), Unloaded())
LOADED = load(VACANT, CONFIG)
RUNNING = start(LOADED, now=NOW)
STOPPED = stop(RUNNING, now=NOW)
FAILED = fail(RUNNING, "it broke", now=NOW)
ALL: tuple[AnyAgent, ...] = (VACANT, LOADED, RUNNING, STOPPED, FAILED)
EVENTS = (AgentUnloaded, AgentLoaded, AgentStarted, AgentStopped, AgentFailed)


@criterion("STORY-046.4")
def test_a_life_from_the_first_step_to_the_last() -> None:
    assert LOADED.state == Loaded(CONFIG)
    assert RUNNING.state == Running(CONFIG, NOW)
    assert STOPPED.state == Stopped(CONFIG, NOW)
    assert FAILED.state == Failed("it broke", NOW, CONFIG)
    assert start(STOPPED, now=LATER).state == Running(CONFIG, LATER)
    assert load(FAILED, CONFIG) == LOADED
    assert unload(STOPPED) == VACANT


def test_an_agent_that_never_had_a_configuration_fails_without_one() -> None:
    assert fail(VACANT, "unreadable", now=NOW).state == Failed("unreadable", NOW, None)


def test_a_step_leaves_the_value_before_it_as_it_was() -> None:
    start(LOADED, now=NOW)
    assert LOADED.state == Loaded(CONFIG)


@criterion("STORY-046.5")
@pytest.mark.parametrize(("agent", "event"), [*zip(ALL, EVENTS, strict=True)])
def test_entering_a_state_is_told_by_an_event_of_its_own(
    agent: AnyAgent, event: type[object]
) -> None:
    told = entered(agent, cause="because", now=LATER)
    assert type(told) is event
    assert (told.agent, told.at, told.cause) == (agent.id, LATER, "because")


@criterion("STORY-046.6")
@pytest.mark.parametrize("agent", ALL)
def test_every_state_comes_back_from_its_record(agent: AnyAgent) -> None:
    assert restored(_record(agent), CONFIG) == agent


@criterion("STORY-046.6")
@pytest.mark.parametrize("agent", [LOADED, RUNNING, STOPPED])
def test_an_agent_whose_file_does_not_read_any_more_comes_back_failed(agent: AnyAgent) -> None:
    assert isinstance(restored(_record(agent), None).state, Failed)


@criterion("STORY-046.6")
@pytest.mark.parametrize("agent", ALL)
def test_only_what_ran_comes_back_stopped(agent: AnyAgent) -> None:
    expected = Agent(agent.id, Stopped(CONFIG, LATER)) if agent is RUNNING else agent
    assert recovered(agent, now=LATER) == expected


def test_the_first_death_is_mended_at_once_and_each_further_one_later() -> None:
    deaths: tuple[float, ...] = ()
    delays = []
    for _ in range(MOST_DEATHS):
        verdict = after_death(deaths, now=1.0)
        assert isinstance(verdict, RestartAfter)
        deaths = verdict.deaths
        delays.append(verdict.delay)
    assert delays == [0.0, 0.1, 0.2, 0.4, 0.8]
    assert after_death(deaths, now=1.0) == DiedTooOften(MOST_DEATHS + 1, 60.0)


@given(st.lists(st.floats(0, 10_000), max_size=30).map(sorted))
def test_deaths_long_ago_do_not_count_and_no_wait_is_endless(times: list[float]) -> None:
    deaths: tuple[float, ...] = ()
    for now in times:
        verdict = after_death(deaths, now)
        recent = sum(now - death < 60 for death in deaths)
        assert isinstance(verdict, DiedTooOften) == (recent >= MOST_DEATHS)
        if isinstance(verdict, RestartAfter):
            assert 0 <= verdict.delay <= LONGEST_DELAY
            deaths = verdict.deaths


def _record(agent: AnyAgent) -> AgentRecord:
    reason = agent.state.reason if isinstance(agent.state, Failed) else ""
    record = AgentRecord(agent.id, CONFIG.name, "", state_name(agent), NOW, reason, NOW, NOW)
    return evolve(record, reason=reason)
