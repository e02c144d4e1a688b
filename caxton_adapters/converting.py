"""Domain values as plain values and back, one way for whoever stores or sends them."""

from datetime import datetime
from typing import Final

from cattrs import Converter
from cattrs.strategies import configure_tagged_union

from caxton_core.primitives import (
    Duration,
    JsonObject,
    RealNumber,
    Size,
    Text,
    Usd,
    WholeNumber,
)

_ONE_VALUE: Final = (Text, WholeNumber, RealNumber, Duration, JsonObject, Size, Usd)


def converter(*unions: object) -> Converter:
    """Reads and writes classes of the domain; a member of a union tells which it is."""
    made = Converter(detailed_validation=False, omit_if_default=True)
    made.register_unstructure_hook_func(_has_one_value, lambda value: value.value)
    made.register_structure_hook_func(_has_one_value, lambda value, kind: kind(value))
    made.register_unstructure_hook(datetime, datetime.isoformat)
    made.register_structure_hook(datetime, lambda text, _: datetime.fromisoformat(text))
    for union in unions:
        configure_tagged_union(union, made, tag_name="is")
    return made


def _has_one_value(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, _ONE_VALUE)
