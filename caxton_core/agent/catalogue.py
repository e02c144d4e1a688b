"""The agent file described: JSON Schema and reference, derived from the classes."""

from typing import Final

from caxton_core.agent.config import AgentConfig
from caxton_core.agent.rules.not_yet import AWAITED
from caxton_core.codes.catalogue import EXPLANATIONS, section
from caxton_core.codes.explanation import Explanation
from caxton_core.reading.describing import Entry, Schema, entries, json_schema

_GENERATED: Final = (
    "<!-- Generated from the code by `python -m tests.generate_reference`; do not edit. -->\n"
)
_AGENT_FILE: Final = """
# The agent file

An agent is one TOML file of at most 64 KiB. Only `name` and `system_prompt` are required:

```toml
name = "greeter"
capabilities = ["greeting"]
system_prompt = \"\"\"
You greet people warmly and briefly.
\"\"\"
```

Keys of the top level stand above the first `[table]` header: in TOML every key below a header
belongs to that table. Unknown keys are errors. Durations are texts such as `"500ms"`, `"30s"`,
`"5m"`, `"24h"`, `"30d"`; sizes are texts such as `"64KB"`, `"256MB"`, where a KB has 1024 bytes.
Secrets never stand in an agent file, and `${NAME}` is substituted in the server's settings only.
What each problem code means is told in the [error reference](errors.md).
"""
_ERRORS: Final = """
# Error reference

Every problem that Caxton reports has a code that stays the same. `caxton explain CODE` prints the
section of a code. Errors must be repaired; warnings (CX1007, and CX1301 to CX1320) deserve a
look. What CX1321 to CX1349 are is decided by the [policy](policy.md) of the installation.

## How to find the problem

- The place: file, line and column stand below the first line, the caret under the text. All
  problems of a file are told at once.
- Many `CX1005` in one file: a top-level key stands below a `[table]` header. Move all of them
  above the first header.
- `CX1001` at a line that looks right: look for an unclosed quote or bracket above it.
- `CX1004` with a number in quotes, or a text without: compare with the example in the
  [agent file reference](agent-file.md).
- `CX1306` and `CX1307` together: the names in `tools` and in `[permissions]` differ.
"""


_AWAITED: Final = {awaited.at: awaited.instead for awaited in AWAITED}


def agent_schema() -> Schema:
    """The JSON Schema of the agent file."""
    return json_schema(AgentConfig, "Caxton agent")


def agent_file_reference() -> str:
    """`docs/reference/agent-file.md`."""
    found = tuple(entries(AgentConfig))
    tables = [_table(entry, found) for entry in found if entry.type in _WITH_KEYS]
    top = _keys([entry for entry in found if len(entry.at) == 1 and entry.type != "table"])
    return "\n".join([_GENERATED.rstrip(), _AGENT_FILE, "## Top level\n", top, *tables])


_WITH_KEYS: Final = ("table", "list of table")


def _table(entry: Entry, found: tuple[Entry, ...]) -> str:
    inner = [each for each in found if each.at[:-1] == entry.at]
    name = ".".join(map(str, entry.at))
    body = _keys(inner) if inner else "Any keys, with any TOML values.\n"
    return f"## [{name}]\n\n{_said(entry)}\n\n{body}"


def _keys(found: list[Entry]) -> str:
    rows = [
        f"| `{entry.at[-1]}` | {entry.type} | {entry.default} | {_cell(entry.rule)} "
        f"| {_cell(_said(entry))} |"
        for entry in found
    ]
    head = ["| key | type | default | rule | meaning |", "|---|---|---|---|---|"]
    return "\n".join([*head, *rows, "", "```toml", *_example(found), "```", ""])


def _said(entry: Entry) -> str:
    instead = _AWAITED.get(entry.at)
    return entry.says if instead is None else f"{entry.says} *Not yet: {instead}.*"


def _example(found: list[Entry]) -> list[str]:
    """A whole file that shows the keys, so that it can be tried as it stands."""
    pairs = [f"{entry.at[-1]} = {entry.example}" for entry in found if entry.example]
    table = found[0].at[:-1]
    if not table:
        return pairs
    path = ".".join(map(str, table))
    header = f"[[{path}]]" if len(table) > 1 else f"[{path}]"
    return ['name = "helper"', 'system_prompt = "You help."', "", header, *pairs]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def error_reference() -> str:
    """`docs/reference/errors.md`."""
    ordered = sorted(EXPLANATIONS.values(), key=_by_code)
    return "\n".join([_GENERATED.rstrip(), _ERRORS, *(section(each) for each in ordered)])


def _by_code(explanation: Explanation) -> str:
    return explanation.code
