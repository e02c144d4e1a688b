"""Which keys stand in which table, derived from the class that a file is read into."""

from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType, NoneType
from typing import Annotated, Final, TypeAlias, final, get_args, get_origin

import attrs

from caxton_core.primitives import Duration, FreeTable, RealNumber, Size, Text, Usd, WholeNumber
from caxton_core.problems import Path
from caxton_core.reading.keys import Distinct, Key

PRIMITIVES: Final = (Text, WholeNumber, RealNumber, Duration, Size, Usd)
REQUIRED: Final = attrs.NOTHING

TableKeys: TypeAlias = Mapping[Path, tuple[str, ...]]


@final
@attrs.frozen
class Field:
    """One key of a table: what it takes, what it is without it, what it is for."""

    name: str
    type: object
    default: object
    key: Key
    distinct: Distinct | None

    @property
    def is_required(self) -> bool:
        """Whether a file without the key is refused."""
        return self.default is REQUIRED


def bare(annotation: object) -> object:
    """The type without `Annotated` and without `| None`."""
    if get_origin(annotation) is Annotated:
        return bare(get_args(annotation)[0])
    members = [member for member in get_args(annotation) if member is not NoneType]
    return bare(members[0]) if NoneType in get_args(annotation) else annotation


def is_table(annotation: object) -> bool:
    """Whether the type is a class whose fields are the keys of a table."""
    return (
        isinstance(annotation, type)
        and attrs.has(annotation)
        and not issubclass(annotation, (*PRIMITIVES, FreeTable))
    )


@cache
def fields(cls: type) -> tuple[Field, ...]:
    """The keys of the class, in the order of its definition."""
    return tuple(_field(attribute) for attribute in attrs.fields(attrs.resolve_types(cls)))


def _field(attribute: "attrs.Attribute[object]") -> Field:
    marks: tuple[object, ...] = getattr(attribute.type, "__metadata__", ())
    key = next((mark for mark in marks if isinstance(mark, Key)), Key("", ""))
    distinct = next((mark for mark in marks if isinstance(mark, Distinct)), None)
    return Field(attribute.name, attribute.type, attribute.default, key, distinct)


@cache
def tables(cls: type) -> TableKeys:
    """The keys of the class's table and of all tables in it, by path."""
    return MappingProxyType(dict(_tables(cls, ())))


def _tables(cls: type, at: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    yield at, tuple(field.name for field in fields(cls))
    for field in fields(cls):
        inner = bare(field.type)
        if isinstance(inner, type) and is_table(inner):
            yield from _tables(inner, (*at, field.name))


@cache
def free_tables(cls: type) -> tuple[str, ...]:
    """The top-level tables whose keys their author chooses."""
    return tuple(field.name for field in fields(cls) if bare(field.type) is FreeTable)
