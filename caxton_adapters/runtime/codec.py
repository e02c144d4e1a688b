"""Domain values as MessagePack and back: what crosses the wall between server and agent process."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import msgspec.msgpack
from cattrs import Converter
from cattrs.strategies import configure_tagged_union

from caxton_core.conversation.message import Message, PromptMessage
from caxton_core.conversation.model import ModelFailure
from caxton_core.conversation.turn import GiveUpReason, Observation, Step
from caxton_core.primitives import (
    Duration,
    JsonObject,
    RealNumber,
    Size,
    Text,
    Usd,
    WholeNumber,
)
from caxton_core.tools.tool import RequestedCall, ToolResult

T = TypeVar("T")

_ONE_VALUE = (Text, WholeNumber, RealNumber, Duration, JsonObject, Size, Usd)
_UNIONS = (
    RequestedCall,
    ToolResult,
    Message,
    PromptMessage,
    ModelFailure,
    GiveUpReason,
    Observation,
    Step,
)


def _has_one_value(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, _ONE_VALUE)


def converter() -> Converter:
    """A cattrs converter for everything that a turn consists of."""
    made = Converter(detailed_validation=False, omit_if_default=True)
    made.register_unstructure_hook_func(_has_one_value, lambda value: value.value)
    made.register_structure_hook_func(_has_one_value, lambda value, kind: kind(value))
    for union in _UNIONS:
        configure_tagged_union(union, made, tag_name="is")
    return made


_converter = converter()


def packer(kind: object) -> Callable[[object], bytes]:
    """What turns values of the type, which may be a union, into MessagePack."""
    unstructure = partial(_converter.unstructure, unstructure_as=kind)
    return lambda value: msgspec.msgpack.encode(unstructure(value))
