"""The policy described: its reference, derived from the classes and the presets."""

from typing import Final

from caxton_core.agent.policy.check import RULES
from caxton_core.agent.policy.levels import Preset
from caxton_core.agent.policy.presets import PRESETS
from caxton_core.agent.policy.tables import Policy
from caxton_core.codes.catalogue import EXPLANATIONS
from caxton_core.reading.describing import Entry, entries
from caxton_core.reading.written import plain, toml_value

_HEAD: Final = """\
<!-- Generated from the code by `python -m tests.generate_reference`; do not edit. -->

# The policy

A policy is one TOML file with rules over agent files. The server reads the one that `policy.file`
of its settings (or `CAXTON_POLICY_FILE`) names, else `/etc/caxton/policy.toml` (`policy.toml` in
`CAXTON_HOME`) where it exists, else the built-in policy, which is the preset `default`. How to
write and try one is told in the [guide](../how-to/policy.md).

Every key may be absent: then the preset's value holds. A rule is a key whose value is its level:
`"error"` refuses an agent, `"warning"` only tells, `"off"` does not look. The other keys are bounds
and lists of the rules beside them. An empty list or an absent bound bounds nothing. In names `*`
stands for any text.

A table of `[environments]` holds what is different where `policy.environment` (or
`CAXTON_ENVIRONMENT`) chooses it: the same keys, and perhaps a preset of its own. A list there takes
the place of the list above it.

```toml title="policy.toml"
preset = "default"

[environments.production]
preset = "strict"

[environments.production.providers]
only = ["openai"]
```
"""
_COLUMNS: Final = (
    "| key | type | `default` | `strict` | `relaxed` | meaning |\n|---|---|---|---|---|---|"
)


def policy_reference() -> str:
    """`docs/reference/policy.md`."""
    found = tuple(entries(Policy))
    top = [entry for entry in found if len(entry.at) == 1 and entry.type != "table"]
    tables = [_table(entry, found) for entry in found if entry.type == "table"]
    return "\n".join([_HEAD, "## Top level\n", _keys(top), *tables, _codes()])


def _table(table: Entry, found: tuple[Entry, ...]) -> str:
    inner = [entry for entry in found if entry.at[:-1] == table.at]
    return f"## [{table.at[0]}]\n\n{table.says}\n\n{_keys(inner)}"


def _keys(found: list[Entry]) -> str:
    rows = [
        f"| `{entry.at[-1]}` | {_type(entry)} | {_cell(_default(entry))} "
        f"| {_cell(_preset(Preset.STRICT, entry))} | {_cell(_preset(Preset.RELAXED, entry))} "
        f"| {_cell(entry.says)} |"
        for entry in found
    ]
    header = [f"[{entry.at[0]}]" for entry in found[:1] if len(entry.at) > 1]
    example = [f"{entry.at[-1]} = {entry.example}" for entry in found]
    block = ['```toml title="policy.toml"', *header, *example, "```", ""]
    return "\n".join([_COLUMNS, *rows, "", *block])


def _type(entry: Entry) -> str:
    levels = entry.rule.startswith('`"error"`')
    return "level" if levels else entry.type.replace("list of text", "list")


def _default(entry: Entry) -> str:
    """The value of the preset `default`; a bound that has one says so in its field."""
    holder: object = Policy()
    for name in entry.at:
        holder = getattr(holder, str(name))
    written = _written(holder)
    return entry.default if written is None else written


def _written(value: object) -> str | None:
    shown = plain(value)
    return None if shown is None or shown == [] else f"`{toml_value(shown)}`"


def _preset(preset: Preset, entry: Entry) -> str:
    """What the preset has in another way than `default`."""
    table: object = PRESETS[preset]
    for name in entry.at:
        table = table.get(str(name)) if isinstance(table, dict) else None
    return "" if table is None else f"`{toml_value(table)}`"


def _codes() -> str:
    rows = [
        f"| [{rule.code}](errors.md#{rule.code.lower()}) "
        f"| {EXPLANATIONS[rule.code].title} | {_cell(EXPLANATIONS[rule.code].why)} |"
        for rule in RULES
    ]
    return "\n".join(["## Rules\n", "| code | finds | why |\n|---|---|---|", *rows, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
