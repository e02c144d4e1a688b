"""What the person of another program is asked before an agent calls a tool.

Whoever wrote the arguments may want to hide one behind another, so each is cut for itself, and
what cannot be shown cannot be agreed to.
"""

import json
from collections.abc import Mapping
from typing import Any, Final, final

from attrs import frozen

from caxton_core.tools.visible import visible

LONGEST: Final = 300
MOST: Final = 20
_LONGEST_NAME: Final = 60


@final
@frozen
class Question:
    """A question in words; the call can be agreed to only where `whole` of it is shown."""

    text: str
    whole: bool

    @property
    def schema(self) -> dict[str, Any]:
        """The form of an answer, as JSON Schema."""
        choices = ["approve", "deny"] if self.whole else ["deny"]
        decision = {"type": "string", "enum": choices, "title": "May it be called?"}
        return {"type": "object", "properties": {"decision": decision}, "required": ["decision"]}


def question_of(approval: Mapping[str, object]) -> Question:
    """The question about a call that waits."""
    given = approval.get("arguments")
    arguments = given if isinstance(given, dict) else {}
    lines = [f"{approval['agent']} wants to call {approval['tool']}"]
    lines += [f"{_name(key)}: {_value(value)}" for key, value in list(arguments.items())[:MOST]]
    whole = len(arguments) <= MOST and all(map(_fits, arguments.items()))
    if len(arguments) > MOST:
        lines.append(f"{len(arguments) - MOST} more arguments are not shown")
    if not whole:
        lines.append(f"Not all of it is shown: see it with caxton approvals show {approval['id']}")
    return Question("\n".join(lines), whole)


def _name(key: str) -> str:
    return _cut(visible(key), _LONGEST_NAME)


def _value(value: object) -> str:
    if not isinstance(value, str):
        return _cut(_json(value), LONGEST)
    shown = _json(value[:LONGEST])
    return shown if len(value) <= LONGEST else f"{shown}… ({len(value):,} characters)"


def _json(value: object) -> str:
    return visible(json.dumps(value, ensure_ascii=False))


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text):,} characters)"


def _fits(argument: tuple[str, object]) -> bool:
    """Whether nothing but the rest of a long text is left out."""
    key, value = argument
    return len(visible(key)) <= _LONGEST_NAME and (
        isinstance(value, str) or len(_json(value)) <= LONGEST
    )
