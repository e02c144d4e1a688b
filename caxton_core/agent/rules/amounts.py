"""Rules about the model's settings, limits, budgets and memory."""

from collections.abc import Iterator
from typing import Final

from caxton_core.agent.config import AgentConfig
from caxton_core.agent.rules.rule import Rule, at
from caxton_core.agent.sections import Isolation, Llm, MemoryRules, MemoryScope, Resources
from caxton_core.problems import (
    EverythingShared,
    HighTemperature,
    IdleFallback,
    LateDeadline,
    LimitNeedsProcess,
    NoCapabilities,
    Problem,
    TurnAboveDay,
    TurnBelowAnswer,
    TwoSamplers,
    WithoutEffect,
)
from caxton_core.reading.layout import fields

_HIGH: Final = 1.5
_LLM: Final = Llm()
_RESOURCES: Final = Resources()


def _capabilities(config: AgentConfig) -> Iterator[Problem]:
    if not config.capabilities:
        yield at("capabilities")(NoCapabilities())


def _isolation(config: AgentConfig) -> Iterator[Problem]:
    if config.resources.isolation is Isolation.TASK:
        for key in ("max_memory", "max_cpu"):
            if getattr(config.resources, key) is not None:
                yield at("resources", key)(LimitNeedsProcess(key))


def _budget(config: AgentConfig) -> Iterator[Problem]:
    turn, day, answer = (
        None if limit is None else limit.value
        for limit in (
            config.budget.tokens_per_turn,
            config.budget.tokens_per_day,
            config.llm.max_tokens,
        )
    )
    if turn is not None and day is not None and turn > day:
        yield at("budget", "tokens_per_turn")(TurnAboveDay(turn, day))
    if turn is not None and answer is not None and answer > turn:
        yield at("llm", "max_tokens")(TurnBelowAnswer(answer, turn))


def _sampling(config: AgentConfig) -> Iterator[Problem]:
    temperature = config.llm.temperature
    if temperature.value > _HIGH:
        yield at("llm", "temperature")(HighTemperature(f"{temperature.value:g}"))
    if config.llm.top_p is not None and temperature != _LLM.temperature:
        yield at("llm", "top_p")(TwoSamplers())


def _fallbacks(config: AgentConfig) -> Iterator[Problem]:
    for index, fallback in enumerate(config.llm.fallback):
        if fallback.provider == config.llm_provider and fallback.model in (None, config.llm.model):
            model = fallback.model or config.llm.model
            shown = "the default model" if model is None else model.value
            yield at("llm", "fallback", index)(IdleFallback(shown))


def _deadlines(config: AgentConfig) -> Iterator[Problem]:
    turn = config.resources.turn_timeout
    inner = (
        ("llm", "timeout", config.llm.timeout, _LLM.timeout),
        ("resources", "tool_timeout", config.resources.tool_timeout, _RESOURCES.tool_timeout),
    )
    for table, key, written, default in inner:
        if written != default and written.value > turn.value:
            what = LateDeadline(f"{table}.{key}", str(written), "resources.turn_timeout", str(turn))
            yield at(table, key)(what)


def _memory(config: AgentConfig) -> Iterator[Problem]:
    memory = config.memory
    if memory.enabled:
        if memory.auto_store and memory.scope is MemoryScope.GLOBAL:
            yield at("memory", "scope")(EverythingShared())
        return
    for field in fields(MemoryRules):
        if field.name != "enabled" and getattr(memory, field.name) != field.default:
            yield at("memory", field.name)(WithoutEffect(field.name, "enabled is false"))


AMOUNTS: Final = (
    Rule((("capabilities",),), _capabilities),
    Rule((("resources", "isolation"),), _isolation),
    Rule((), _budget),
    Rule((), _sampling),
    Rule((("llm_provider",), ("llm", "model"), ("llm", "fallback")), _fallbacks),
    Rule((("resources", "turn_timeout"),), _deadlines),
    Rule((("memory", "enabled"), ("memory", "scope")), _memory),
)
