"""Rules about limits: missing, beyond the policy, beyond the machine; and about isolation."""

from collections.abc import Iterator
from typing import Final, TypeAlias

from caxton_core.agent.policy.finding import Found, found
from caxton_core.agent.policy.rules.rule import Case, Rule
from caxton_core.agent.sections import PROCESS_CORES, PROCESS_MEMORY, Isolation
from caxton_core.primitives import Cores, Duration, RealNumber, Size, Usd, WholeNumber
from caxton_core.problems import Path

Amount: TypeAlias = WholeNumber | RealNumber | Duration | Size | Usd

BOUNDED: Final = {
    "max_tokens": ("llm", "max_tokens"),
    "tokens_per_turn": ("budget", "tokens_per_turn"),
    "tokens_per_day": ("budget", "tokens_per_day"),
    "cost_per_day": ("budget", "cost_per_day"),
    "context_window": ("conversation", "context_window"),
    "max_turns": ("conversation", "max_turns"),
    "max_tool_rounds": ("resources", "max_tool_rounds"),
    "turn_timeout": ("resources", "turn_timeout"),
    "tool_timeout": ("resources", "tool_timeout"),
    "model_timeout": ("llm", "timeout"),
    "mailbox": ("resources", "mailbox"),
    "max_concurrent_turns": ("resources", "max_concurrent_turns"),
    "max_memory": ("resources", "max_memory"),
    "max_cpu": ("resources", "max_cpu"),
    "retention": ("memory", "retention"),
    "max_entries": ("memory", "max_entries"),
}
"""The bounds of a policy, and the key of the agent file that each of them is about."""


def _amount(holder: object, *path: str) -> Amount | None:
    for name in path:
        holder = getattr(holder, name)
    return holder if isinstance(holder, Amount) else None


def shown(amount: Amount) -> str:
    """The amount as a person writes it."""
    match amount:
        case WholeNumber():
            return f"{amount.value:,}"
        case RealNumber():
            return f"{amount.value:g}"
        case Usd():
            return f"${amount}"
        case Duration() | Size():
            return str(amount)


def _missing(case: Case) -> Iterator[Found]:
    for key in case.policy.limits.required:
        path = tuple(key.value.split("."))
        if _amount(case.config, *path) is None:
            yield found(*path, key=key.value)


def _excessive(case: Case) -> Iterator[Found]:
    for name, path in BOUNDED.items():
        bound, amount = _amount(case.policy.limits, name), _amount(case.config, *path)
        if bound is not None and amount is not None and amount.value > bound.value:
            key = ".".join(path)
            yield found(*path, key=key, written_amount=shown(amount), bound=shown(bound))


def _machine(case: Case) -> Iterator[Found]:
    if is_task(case):
        return
    resources = case.config.resources
    memory = resources.max_memory or PROCESS_MEMORY
    cores = resources.max_cpu or PROCESS_CORES
    if case.facts.memory is not None and memory.value > case.facts.memory:
        has = shown(Size(_whole_megabytes(case.facts.memory)))
        yield _beyond("max_memory", "of memory", shown(memory), has)
    if case.facts.cores is not None and cores.value > case.facts.cores:
        yield _beyond("max_cpu", "processors", shown(cores), shown(Cores(case.facts.cores)))


def _whole_megabytes(size: int) -> int:
    return max(size >> 20, 1) << 20


def _beyond(key: str, unit: str, asked: str, has: str) -> Found:
    return found("resources", key, key=f"resources.{key}", asked=asked, has=has, unit=unit)


def is_task(case: Case) -> bool:
    """Whether the agent shares the server's process."""
    chosen = case.config.resources.isolation or case.facts.isolation
    return chosen is Isolation.TASK


def _isolation(case: Case) -> Iterator[Found]:
    if is_task(case):
        chosen = case.config.resources.isolation is Isolation.TASK
        where: Path = ("resources", "isolation") if chosen else ("resources",)
        yield found(*where)


LIMITS: Final = (
    Rule("CX1330", lambda policy: policy.limits.missing, _missing),
    Rule("CX1331", lambda policy: policy.limits.excessive, _excessive),
    Rule("CX1332", lambda policy: policy.limits.machine, _machine),
    Rule("CX1333", lambda policy: policy.isolation.shared_process, _isolation),
)
