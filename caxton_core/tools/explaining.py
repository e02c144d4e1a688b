"""A decision in words: whole for people, and without anything to abuse for models."""

from typing import Final

from caxton_core.tools.permission import (
    Absent,
    Decision,
    Effect,
    Hindrance,
    Unlisted,
    Verdict,
)
from caxton_core.tools.tool import ToolCall, ToolFailed

_NOT_SHOWN: Final = "the agent is not shown the tool"
_OPEN: Final = {
    Effect.ALLOW: "allows it, for no rule is against it",
    Effect.NOTHING: "says nothing about it, so it is refused",
}
_BY_RULE: Final = {Effect.ALLOW: "allows it", Effect.ASK: "wants a person asked"}
_WHOLE: Final = {
    Effect.ALLOW: "the call is made",
    Effect.ASK: "the call waits for a person",
}


def summary(decision: Decision) -> str:
    """What happens to the call, in one line."""
    return _WHOLE.get(decision.effect, "the call is refused")


def explained(decision: Decision) -> tuple[str, ...]:
    """What each level says of the call, or what hinders every call, one line each."""
    if not decision.verdicts:
        return (_NOT_SHOWN, *map(_hindering, decision.hindering))
    return tuple(map(_said, decision.verdicts))


def _hindering(hindrance: Hindrance) -> str:
    match hindrance:
        case Absent(why):
            return f"nobody offers it: {why}"
        case Unlisted():
            return "the agent file does not list it in `tools`"
        case Verdict(level, rule=None):
            return f"the {level} has no rule under `allow` or `ask` that covers it"
        case Verdict():
            return _said(hindrance)


def _said(verdict: Verdict) -> str:
    if verdict.rule is None:
        return f"the {verdict.level} {_OPEN.get(verdict.effect, 'refuses it')}"
    says = _BY_RULE.get(verdict.effect, "denies it")
    return f"the {verdict.level} {says}: {verdict.rule.value}"


def told_to_model(call: ToolCall, decision: Decision) -> ToolFailed:
    """A refusal that says no more than that it is one."""
    if not decision.verdicts:
        return ToolFailed(call.id, f"there is no tool named {call.name.value}")
    return ToolFailed(call.id, f"this call of {call.name.value} is not permitted")
