"""What a step of an agent's life costs, beside making two plain frozen values."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import final

from attrs import frozen

from caxton_core.agent.config import AgentConfig
from caxton_core.agent.lifecycle import Agent, Unloaded, fail, load, start, stop, unload
from caxton_core.primitives import AgentId, AgentName, SystemPrompt
from tests.benchmarks.effort import Effort
from tests.benchmarks.figures import AtMost, Baseline, Below, Figure, in_turns
from tests.benchmarks.repeating import seconds_per_call


@final
@frozen
class Plain:
    """Two members, as an agent and its state have."""

    one: object
    two: object


def measure(effort: Effort) -> Iterator[Figure]:
    """The slowest step decides."""
    calls = effort.calls * 100
    steps = _steps()
    measures = (partial(seconds_per_call, step, calls) for step in (_two_values, *steps.values()))
    plain, *samples = in_turns(effort.blocks * 3, *measures)
    best = {name: each.best * 1e6 for name, each in zip(steps, samples, strict=True)}
    yield Figure(
        "lifecycle transition, the slowest",
        max(best.values()),
        "µs",
        Baseline(plain.best * 1e6, "two frozen values"),
        must=Below(1),
        aim=AtMost(0.4),
        note=", ".join(f"{name} {cost:.2f}" for name, cost in best.items()),
    )


def _steps() -> dict[str, Callable[[], object]]:
    config = AgentConfig(name=AgentName("bench"), system_prompt=SystemPrompt("You are measured."))
    now = datetime.now(UTC)
    unloaded = Agent(AgentId("0192f0c1-2d3e-7a4b-8c5d-6e7f80910a1b"), Unloaded())
    loaded = load(unloaded, config)
    running = start(loaded, now=now)
    return {
        "load": lambda: load(unloaded, config),
        "start": lambda: start(loaded, now=now),
        "stop": lambda: stop(running, now=now),
        "fail": lambda: fail(running, "a reason", now=now),
        "unload": lambda: unload(loaded),
    }


def _two_values() -> object:
    return Plain("an id", Plain("a state", "a time"))
