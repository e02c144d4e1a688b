"""What a person is asked before an agent calls a tool: here, and in another program.

Whoever wrote the arguments may want to hide one behind another, or the call behind what looks like
another call. So each argument is cut for itself, and what is not shown cannot be agreed to.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, final

from attrs import evolve, frozen

from caxton_cli.laying_out import rows_of, unpadded
from caxton_core.tools.visible import visible

LONGEST: Final = 1_000
"""The most characters of an argument that are shown."""
ALTOGETHER: Final = 4_000
"""The most characters in which a person sees every one."""
MOST: Final = 20
_LONGEST_NAME: Final = 60
_USUAL_NAME: Final = re.compile("[A-Za-z0-9_.-]+")
_AROUND: Final = 3
"""Lines of a screen that the question leaves to the answer, and to an empty line before it."""


@final
@frozen
class Question:
    """A question in words; the call can be agreed to only where `whole` of it is shown."""

    lines: tuple[str, ...]
    whole: bool
    elsewhere: str

    @property
    def text(self) -> str:
        """What is shown."""
        return "\n".join(self.lines if self.whole else (*self.lines, self.elsewhere))

    @property
    def schema(self) -> dict[str, Any]:
        """The form of an answer, as JSON Schema."""
        choices = ["approve", "deny"] if self.whole else ["deny"]
        decision = {"type": "string", "enum": choices, "title": "May it be called?"}
        return {"type": "object", "properties": {"decision": decision}, "required": ["decision"]}

    def on_screen(self, columns: int, lines: int) -> "Question":
        """The question for a screen of this size: what would scroll away is not shown."""
        rows, room = rows_of("\n".join(self.lines), columns), lines - _AROUND
        elsewhere = rows_of(self.elsewhere, columns)
        if len(rows) + (0 if self.whole else len(elsewhere)) > room:
            kept = max(room - len(elsewhere) - 1, 1)
            left_out = f"… {len(rows) - kept:,} more lines"
            return Question((*rows[:kept], left_out), whole=False, elsewhere="\n".join(elsewhere))
        return evolve(self, lines=tuple(rows), elsewhere="\n".join(elsewhere))


def question_of(approval: Mapping[str, object]) -> Question:
    """The question about a call that waits."""
    given = approval.get("arguments")
    arguments = given if isinstance(given, dict) else {}
    lines = [f"{approval['agent']} wants to call {approval['tool']}"]
    lines += [f"{_name(key)}: {_value(value)}" for key, value in list(arguments.items())[:MOST]]
    whole = len(arguments) <= MOST and all(map(_fits, arguments.items()))
    whole = whole and sum(map(len, lines)) <= ALTOGETHER
    if len(arguments) > MOST:
        lines.append(f"{len(arguments) - MOST} more arguments are not shown")
    elsewhere = f"Not all of it is shown; see: caxton approvals show {approval['id']}"
    return Question(tuple(lines), whole, elsewhere)


def _name(key: str) -> str:
    return _cut(_whole_name(key), _LONGEST_NAME, len(key))


def _whole_name(key: str) -> str:
    """The name; one that may be taken for words of ours stands in quotes."""
    return key if _USUAL_NAME.fullmatch(key) else _json(key)


def _value(value: object) -> str:
    shown = _json(value)
    return _cut(shown, LONGEST, len(value if isinstance(value, str) else shown))


def _json(value: object) -> str:
    return unpadded(visible(json.dumps(value, ensure_ascii=False)))


def _cut(text: str, longest: int, length: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}… ({length:,} characters)"


def _fits(argument: tuple[str, object]) -> bool:
    """Whether nothing of it is left out."""
    key, value = argument
    return len(_whole_name(key)) <= _LONGEST_NAME and len(_json(value)) <= LONGEST
