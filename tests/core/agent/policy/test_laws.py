"""What holds of every policy and every agent: checking answers, and more rules permit no more."""

from collections.abc import Callable
from typing import TypeAlias

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from returns.result import Success

from caxton_core.agent.config import AgentConfig
from caxton_core.agent.policy.check import violations
from caxton_core.agent.policy.facts import Facts
from caxton_core.agent.policy.file import read_policy_table, values_of
from caxton_core.agent.policy.levels import Level, Preset
from caxton_core.agent.policy.rules.limits import BOUNDED
from caxton_core.agent.policy.tables import Policy
from caxton_core.agent.toml import read_agent
from caxton_core.problems import Path, Severity
from caxton_core.testing.agent import agent_configs
from tests.core.agent.policy_corpus.corpus import FACTS, HARMLESS, MALICIOUS, text_of

Table: TypeAlias = dict[str, dict[str, object]]
Reasons: TypeAlias = frozenset[tuple[str, Path]]

slowly = settings(
    max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
LEVELS = [path for path, value in values_of(Policy()) if value in ("error", "warning", "off")]
BOUNDS = {"max_tokens": 1, "tokens_per_day": 5, "cost_per_day": 0.5, "mailbox": 2, "max_turns": 3}
LISTS: dict[Path, list[str]] = {
    ("tools", "never"): ["*.read", "crm.*"],
    ("tools", "only"): ["search.*"],
    ("tools", "deny"): ["files.*:path=/srv/private/**"],
    ("providers", "never"): ["open*"],
    ("providers", "only"): ["local"],
    ("models", "never"): ["gpt*"],
    ("models", "only"): ["llama*"],
    ("access", "directories"): ["/srv/reports"],
    ("access", "hosts"): ["*.example.org"],
    ("prompts", "never"): ["you help"],
    ("limits", "required"): ["llm.max_tokens"],
}


def corpus() -> list[AgentConfig]:
    read = (read_agent(text_of(file)) for file in (*MALICIOUS, *HARMLESS))
    return [each.unwrap().config for each in read if isinstance(each, Success)]


CORPUS = corpus()
agents = st.sampled_from(CORPUS) | agent_configs
facts = st.sampled_from((FACTS, Facts()))


def policy_of(table: Table, preset: Preset) -> Policy:
    read = read_policy_table({"preset": preset.value, **table})
    assert isinstance(read, Success), read
    return read.unwrap().policy


def reasons(config: AgentConfig, policy: Policy, known: Facts) -> Reasons:
    found = violations(config, policy, known)
    return frozenset(
        (each.what.code, each.at) for each in found if each.what.severity is Severity.ERROR
    )


def raised(policy: Policy, path: Path) -> Policy:
    table, key = map(str, path)
    return evolve(policy, **{table: evolve(getattr(policy, table), **{key: Level.ERROR})})


@slowly
@given(agents, st.sampled_from(Preset), facts)
def test_checking_answers_whatever_the_agent_is(
    config: AgentConfig, preset: Preset, known: Facts
) -> None:
    for problem in violations(config, policy_of({}, preset), known):
        assert problem.what.severity in Severity


@slowly
@given(agents, st.sampled_from(Preset), st.sampled_from(LEVELS), facts)
def test_a_rule_that_is_raised_permits_no_more(
    config: AgentConfig, preset: Preset, path: Path, known: Facts
) -> None:
    policy = policy_of({}, preset)
    assert reasons(config, policy, known) <= reasons(config, raised(policy, path), known)


@slowly
@given(st.sampled_from(CORPUS), st.sampled_from(Preset), st.sampled_from(sorted(LISTS)), facts)
def test_a_rule_that_is_added_permits_no_more(
    config: AgentConfig, preset: Preset, path: Path, known: Facts
) -> None:
    table, key = map(str, path)
    before = policy_of({}, preset)
    current = [str(item) for item in getattr(getattr(before, table), key)]
    after = policy_of({table: {key: list(dict.fromkeys((*current, *LISTS[path])))}}, preset)
    assert _agents_of(reasons(config, before, known)) <= _agents_of(reasons(config, after, known))


def _agents_of(found: Reasons) -> frozenset[Path]:
    """Where an agent is refused, whichever rule comes first to say so."""
    return frozenset(at for _, at in found)


@slowly
@given(st.sampled_from(CORPUS), st.sampled_from(Preset), st.sampled_from(sorted(BOUNDS)))
def test_a_bound_that_is_lowered_permits_no_more(
    config: AgentConfig, preset: Preset, key: str
) -> None:
    before, after = policy_of({}, preset), policy_of({"limits": {key: BOUNDS[key]}}, preset)
    assert reasons(config, before, FACTS) <= reasons(config, after, FACTS)


@slowly
@given(agents)
def test_a_stricter_preset_permits_no_more(config: AgentConfig) -> None:
    relaxed, default, strict = (
        reasons(config, policy_of({}, preset), FACTS)
        for preset in (Preset.RELAXED, Preset.DEFAULT, Preset.STRICT)
    )
    assert relaxed <= default <= strict


@pytest.mark.parametrize("key", BOUNDED)
def test_every_bound_is_a_key_of_the_policy(key: str) -> None:
    assert hasattr(Policy().limits, key)


def test_what_is_off_is_not_told() -> None:
    policy = Policy()
    off: Callable[[Policy, Path], Policy] = lambda one, path: evolve(  # noqa: E731 - one line
        one, **{str(path[0]): evolve(getattr(one, str(path[0])), **{str(path[1]): Level.OFF})}
    )
    for path in LEVELS:
        policy = off(policy, path)
    assert [problem for each in CORPUS for problem in violations(each, policy, FACTS)] == []
