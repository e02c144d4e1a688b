"""What a model said in JSON, as calls or as text; also while it is still saying it."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final, final

from attrs import evolve
from returns.result import Failure

from caxton_adapters.providers.emulation.asking import ANSWER, ARGUMENTS, TOOL
from caxton_core.conversation.model import Completion, FinishReason
from caxton_core.primitives import JsonObject, ToolName
from caxton_core.tools.tool import BrokenToolCall, RequestedCall, Tool, ToolCall

_BEGINNING: Final = re.compile(rf'\s*\{{\s*"{ANSWER}"\s*:\s*"')
_SOUND: Final = re.compile(
    r"""(?>(?: [^"\\\x00-\x1f]                          # plain
             | \\["\\/bfnrt]                            # escaped
             | \\u(?![dD][89abAB])[0-9a-fA-F]{4}        # by number, unless it is the first of two
             | \\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}
        )*)""",
    re.VERBOSE,
)
_CALLED: Final = ("name", TOOL, "function")
_GIVEN: Final = (ARGUMENTS, "arguments", "parameters")


@final
class AnswerInTheMaking:
    """The text of `{"answer": "..."}` as far as it has arrived."""

    def __init__(self) -> None:
        self._pending = ""
        self._inside = False

    def take(self, piece: str) -> str:
        """The text that this piece makes known; empty for everything that is no answer."""
        self._pending += piece
        if not self._inside:
            beginning = _BEGINNING.match(self._pending)
            if beginning is None:
                return ""
            self._inside = True
            self._pending = self._pending[beginning.end() :]
        sound = _SOUND.match(self._pending)
        end = 0 if sound is None else sound.end()
        arrived, self._pending = self._pending[:end], self._pending[end:]
        return str(json.loads(f'"{arrived}"'))


def understood(completion: Completion, tools: Sequence[Tool], before: int) -> Completion:
    """The completion with the call or the text that its JSON stands for.

    Text that does not follow the schema stays as it is: some services ignore what was asked.
    `before` is the number of calls that the conversation holds already.
    """
    said = _members(completion.text)
    if said is None:
        return _unfinished(completion)
    if ANSWER in said:
        answer = said[ANSWER]
        text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        return evolve(completion, text=text)
    call = _call(said, tools, f"call_{before + 1}")
    if call is None:
        return completion
    return evolve(completion, text="", calls=(call,), finish=FinishReason.TOOL_CALLS)


def rescued(completion: Completion, tools: Sequence[Tool], before: int) -> Completion:
    """A call that a model wrote as its text, if the text is nothing but a call of a known tool."""
    said = None if completion.calls else _members(completion.text)
    call = None if said is None else _call(said, tools, f"call_{before + 1}")
    if not isinstance(call, ToolCall):
        return completion
    return evolve(completion, text="", calls=(call,), finish=FinishReason.TOOL_CALLS)


def _unfinished(completion: Completion) -> Completion:
    """As much of an answer as there is before it broke off."""
    if _BEGINNING.match(completion.text) is None:
        return completion
    return evolve(completion, text=AnswerInTheMaking().take(completion.text))


def _members(text: str) -> Mapping[str, object] | None:
    read = JsonObject.parse(text)
    return None if isinstance(read, Failure) else read.unwrap().members()


def _call(said: Mapping[str, object], tools: Sequence[Tool], id_: str) -> RequestedCall | None:
    named = next((said[key] for key in _CALLED if key in said), None)
    given = next((said[key] for key in _GIVEN if key in said), None)
    known = next((tool.name for tool in tools if tool.name.value == named), None)
    if not isinstance(named, str) or len(said) > 2:  # noqa: PLR2004 (a name and arguments)
        return None
    if known is None or not isinstance(given, dict):
        return _broken(named, given, known, id_)
    return ToolCall(id_, known, JsonObject.of(given))


def _broken(named: str, given: object, known: ToolName | None, id_: str) -> BrokenToolCall:
    why = "there is no such tool" if known is None else "the arguments are no JSON object"
    return BrokenToolCall(id_, named, json.dumps(given), why)
