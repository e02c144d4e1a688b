"""A registration as it is shown: what is written in it, and stars for what may be a secret."""

from collections.abc import Mapping
from typing import Final

from caxton_adapters.mcp.registration import Registration, ServerUrl
from caxton_adapters.secrets import MASK
from caxton_adapters.setting_values import WrittenHeader, WrittenSecret, WrittenVariable
from caxton_core.primitives import JsonObject
from caxton_core.reading.credentials import masked
from caxton_core.reading.layout import fields, is_table
from caxton_core.reading.written import plain

_EMPTY: Final[Mapping[str, object]] = {}


def without_secrets(written: Registration) -> JsonObject:
    """The table, without defaults; `command` is the whole command line, as it is listed."""
    table = _table(written)
    if written.command is not None:
        table["command"] = written.target
        table.pop("args", None)
    return JsonObject.of(table)


def _table(value: object) -> dict[str, object]:
    cls: type = type(value)
    members = ((field, getattr(value, field.name)) for field in fields(cls))
    return {
        field.name: _shown(member)
        for field, member in members
        if member not in (field.default, _EMPTY)
    }


def _shown(value: object) -> object:
    match value:
        case WrittenSecret() | WrittenVariable() | WrittenHeader():
            return MASK
        case ServerUrl():
            return value.shown
        case tuple():
            return [_shown(item) for item in value]
        case Mapping():
            return {str(key): _shown(item) for key, item in value.items()}
        case _ if is_table(type(value)):
            return _table(value)
        case _:
            scalar = plain(value)
            return masked(scalar) if isinstance(scalar, str) else scalar
