"""Domain values as plain values and back: what crosses between server and agent process."""

from collections.abc import Callable
from typing import Final

from caxton_adapters.converting import converter
from caxton_core.conversation.message import Message, PromptMessage
from caxton_core.conversation.model import ModelFailure
from caxton_core.conversation.past import Past
from caxton_core.conversation.turn import GiveUpReason, Observation, Step, TurnRules
from caxton_core.tools.tool import RequestedCall, ToolResult

Plain = object
"""None, numbers, texts, and lists and string-keyed dicts of them."""

_UNIONS: Final = (
    RequestedCall,
    ToolResult,
    Message,
    PromptMessage,
    ModelFailure,
    GiveUpReason,
    Observation,
    Step,
)
_CONVERTER: Final = converter(*_UNIONS)
_Observations = tuple[Observation, ...]

plain_rules: Final[Callable[[TurnRules], Plain]] = _CONVERTER.get_unstructure_hook(TurnRules)
plain_past: Final[Callable[[Past], Plain]] = _CONVERTER.get_unstructure_hook(Past)
plain_step: Final[Callable[[Step], Plain]] = _CONVERTER.get_unstructure_hook(Step)
plain_observation: Final[Callable[[Observation], Plain]] = _CONVERTER.get_unstructure_hook(
    Observation
)
plain_observations: Final[Callable[[_Observations], Plain]] = _CONVERTER.get_unstructure_hook(
    _Observations
)


def rules(plain: Plain) -> TurnRules:
    """The rules that `plain_rules` wrote."""
    return _CONVERTER.structure(plain, TurnRules)


def past(plain: Plain) -> Past:
    """The past that `plain_past` wrote."""
    read: Past = _past_from(plain, Past)
    return read


_past_from = _CONVERTER.get_structure_hook(Past)
_step_from = _CONVERTER.get_structure_hook(Step)
_observation_from = _CONVERTER.get_structure_hook(Observation)


def step(plain: Plain) -> Step:
    """The step that `plain_step` wrote; raises where it is none (the other side is not trusted)."""
    read: Step = _step_from(plain, Step)
    return read


def observation(plain: Plain) -> Observation:
    """The observation that `plain_observation` wrote."""
    read: Observation = _observation_from(plain, Observation)
    return read


def observations(plain: Plain) -> _Observations:
    """The observations that `plain_observations` wrote."""
    return _CONVERTER.structure(plain, _Observations)
