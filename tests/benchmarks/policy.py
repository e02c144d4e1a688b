"""Holding an agent against the policy of the installation, beside reading its file."""

from collections.abc import Iterator
from functools import partial

from returns.result import Success

from caxton_core.agent.config import AgentConfig
from caxton_core.agent.policy.check import violations
from caxton_core.agent.policy.tables import Policy
from caxton_core.agent.toml import read_agent
from tests.benchmarks.agent_file import TYPICAL
from tests.benchmarks.effort import Effort
from tests.benchmarks.figures import AtMost, Baseline, Figure, in_turns
from tests.benchmarks.repeating import seconds_per_call
from tests.core.agent.policy_corpus.corpus import FACTS, MALICIOUS, policy_for, text_of


def measure(effort: Effort) -> Iterator[Figure]:
    """The typical agent, and the one of the malicious corpus that takes longest."""
    calls = max(5, effort.calls // 4)
    reading, typical = in_turns(
        effort.blocks * 3,
        partial(seconds_per_call, partial(read_agent, TYPICAL), calls),
        partial(seconds_per_call, partial(check, config_of(TYPICAL), Policy()), calls),
    )
    yield Figure(
        "policy check of one configuration",
        typical.middle * 1e3,
        "ms",
        Baseline(reading.middle * 1e3, "reading the file"),
        AtMost(10),
        AtMost(1),
    )
    longest = max(_corpus(), key=lambda each: seconds_per_call(partial(check, *each), 3))
    (slowest,) = in_turns(effort.blocks, partial(seconds_per_call, partial(check, *longest), calls))
    yield Figure(
        f"the longest of {len(MALICIOUS)} malicious ones",
        slowest.middle * 1e3,
        "ms",
        Baseline(typical.middle * 1e3, "the typical one"),
        AtMost(10),
    )


def check(config: AgentConfig, policy: Policy) -> int:
    """One whole check; how much it found."""
    return sum(1 for _ in violations(config, policy, FACTS))


def config_of(text: str) -> AgentConfig:
    """The configuration of a file that can be read."""
    read = read_agent(text)
    assert isinstance(read, Success), read
    return read.unwrap().config


def _corpus() -> Iterator[tuple[AgentConfig, Policy]]:
    for file in MALICIOUS:
        if isinstance(read_agent(text_of(file)), Success):
            yield config_of(text_of(file)), policy_for(file)
