"""The agent's own process: it decides turns and does nothing else.

It holds no key and opens nothing; all it has is one socket, over which observations come in and
steps go out. It ends when the socket does.
"""

import os
import sys
import time
import traceback
from functools import reduce
from typing import Final, final

from attrs import define, field

from caxton_adapters.runtime import codec
from caxton_adapters.runtime.isolation.frames import BrokenFrame, FrameReader, framed
from caxton_core.conversation.message import SystemMessage
from caxton_core.conversation.model import Completion, FinishReason, Sampling
from caxton_core.conversation.template import PLAIN_TEMPLATE
from caxton_core.conversation.turn import (
    Candidate,
    ModelAnswered,
    Turn,
    TurnRules,
    advance,
    begin,
    ended,
)
from caxton_core.limits import Usage
from caxton_core.primitives import Duration, TokenCount

if sys.platform != "win32":  # where nothing is forked, only the names of this module are used
    import resource

RULES: Final = "rules"
BEGIN: Final = "begin"
ADVANCE: Final = "advance"
FORGET: Final = "forget"
STEP: Final = "step"
LAST_STEP: Final = "last step"
BROKEN: Final = "broken"

_ROUNDS: Final = 64
_CHUNK: Final = 16 * 1024


def work(descriptor: int) -> None:
    """Serve one agent over a socket until the other side hangs up.

    A defect ends the process, for what it holds cannot be trusted any more; its last words say why.
    """
    turns = _Turns()
    reader = FrameReader()
    try:
        while received := os.read(descriptor, _CHUNK):
            _write(descriptor, b"".join(map(turns.answered, reader.feed(received))))
    except MemoryError:
        raise
    except Exception:
        _write(descriptor, framed([BROKEN, traceback.format_exc()]))
        raise


def _write(descriptor: int, unsent: bytes) -> None:
    while unsent:
        unsent = unsent[os.write(descriptor, unsent) :]


@final
@define
class _Turns:
    rules: TurnRules | None = None
    open: dict[int, Turn] = field(factory=dict)

    def answered(self, frame: object) -> bytes:
        match frame:
            case ["rules", plain]:
                self.rules = codec.rules(plain)
            case ["forget", int() as number]:
                self.open.pop(number, None)
            case ["advance", int() as number, observed]:
                return self.kept(number, advance(self.open[number], codec.observation(observed)))
            case ["begin", int() as number, past, str() as text, observed] if self.rules:
                turn = begin(self.rules, codec.past(past), text)
                return self.kept(number, reduce(advance, codec.observations(observed), turn))
            case _:
                raise BrokenFrame(frame)
        return b""

    def kept(self, number: int, turn: Turn) -> bytes:
        step = codec.plain_step(turn.step)
        if not ended(turn):
            self.open[number] = turn
            return framed([STEP, number, step])
        self.open.pop(number, None)
        return framed([LAST_STEP, number, step, time.process_time(), peak_bytes()])


def warm_up() -> None:
    """Have everything built that a process would build, before it is forked and has to own it.

    Often enough that the interpreter has specialised the code: it writes that in place.
    """
    rules = TurnRules(
        SystemMessage(""),
        PLAIN_TEMPLATE,
        {},
        (Candidate(None, None),),
        Sampling(),
        Duration(1.0),
        TokenCount(1),
        max_exchanges=1,
        max_tool_rounds=1,
        tokens_per_turn=None,
    )
    answered = ModelAnswered(Completion("", FinishReason.STOP, Usage(), ""))
    turns, reader = _Turns(), FrameReader()
    told = framed([RULES, codec.plain_rules(rules)])
    for number in range(_ROUNDS):
        told += framed([BEGIN, number, {}, "", []])
        told += framed([ADVANCE, number, codec.plain_observation(answered)])
        told += framed([FORGET, number])
        b"".join(map(turns.answered, reader.feed(told)))
        told = b""


def peak_bytes() -> int:
    """The most memory that this process has had in RAM."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
