"""The presets: what differs from the defaults of the tables, as a policy file would write it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from caxton_core.agent.policy.levels import Preset

Table: TypeAlias = Mapping[str, object]

_STRICT: Final[Table] = {
    "secrets": {"entropy": 3.7, "shortest": 24},
    "tools": {"wildcards": "error", "unknown_servers": "error", "unknown_tools": "error"},
    "limits": {
        "required": ["llm.max_tokens", "budget.tokens_per_turn", "budget.tokens_per_day"],
        "max_tokens": 16_000,
        "tokens_per_turn": 200_000,
        "tokens_per_day": 10_000_000,
        "cost_per_day": 100.0,
        "context_window": 128_000,
        "max_turns": 500,
        "max_tool_rounds": 32,
        "turn_timeout": "10m",
        "tool_timeout": "2m",
        "model_timeout": "5m",
        "mailbox": 1_000,
        "max_concurrent_turns": 64,
        "max_memory": "1GB",
        "max_cpu": 4.0,
        "retention": "365d",
        "max_entries": 100_000,
    },
    "isolation": {"shared_process": "error"},
    "providers": {"unknown": "error"},
    "prompts": {"longest_line": 2_000, "longest_word": 64},
    "sharing": {"conversations": "error"},
}
_RELAXED: Final[Table] = {
    "secrets": {"random": "warning", "passwords": "warning"},
    "tools": {
        "wildcards": "off",
        "unconditional": "warning",
        "unknown_servers": "off",
        "unknown_tools": "off",
    },
    "limits": {"excessive": "warning", "machine": "warning"},
    "isolation": {"shared_process": "off"},
    "providers": {"unknown": "off"},
    "access": {"files": "warning", "network": "warning"},
    "prompts": {
        "override": "warning",
        "exfiltrate": "warning",
        "conceal": "warning",
        "lookalikes": "warning",
        "long_lines": "off",
        "encoded": "warning",
    },
    "sharing": {"memory": "warning"},
}
PRESETS: Final[Mapping[Preset, Table]] = MappingProxyType(
    {Preset.STRICT: _STRICT, Preset.DEFAULT: {}, Preset.RELAXED: _RELAXED}
)
