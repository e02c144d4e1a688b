"""A plain table becomes a value of any attrs class, or EVERY problem in it; reading never raises.

cattrs walks the class; the hooks here make it strict, for by itself it coerces ("no" would be
True) and takes a text for a list of letters.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Annotated, Final, TypeAlias, TypeVar, get_args, get_origin

from cattrs import Converter
from cattrs.cols import list_structure_factory
from cattrs.errors import BaseValidationError
from cattrs.gen import make_dict_structure_fn, mapping_structure_factory
from returns.result import Failure, Result, Success

from caxton_core.primitives import (
    Duration,
    FreeTable,
    RealNumber,
    Size,
    Text,
    Usd,
    WholeNumber,
)
from caxton_core.problems import Problem, Problems, Repeated, TooMany
from caxton_core.reading.found import ReadingError, problems_in, refused
from caxton_core.reading.free import free_table
from caxton_core.reading.keys import Distinct
from caxton_core.reading.layout import is_table
from caxton_core.reading.misplaced import without_echoes
from caxton_core.reading.scalars import (
    boolean,
    choice,
    number,
    parsed,
    refuse_type,
    text,
    text_for,
    whole_number,
)
from caxton_core.reading.written import is_short, table_of, toml_value

T = TypeVar("T")
Table: TypeAlias = Mapping[str, object]
_Hook: TypeAlias = Callable[[object, object], object]
_ListHook: TypeAlias = Callable[[object, object], tuple[object, ...]]
_Walk: TypeAlias = Callable[[dict[str, object], type], object]
_WalkList: TypeAlias = Callable[[list[object], type], list[object]]


def read(cls: type[T], table: Table) -> Result[T, Problems]:
    """Make a value of the class from the table, or tell everything that is wrong with it.

    Keys are the names of the class's fields. The class holds primitives, enums, other such
    classes, tuples of these, mappings from text to these, `str`, `int`, `float`, `bool` and
    `FreeTable`, each perhaps `| None`; `Key` and `Distinct` annotations add rules.
    """
    try:
        return Success(_CONVERTER.structure(table, cls))
    except (BaseValidationError, ReadingError, RecursionError) as error:
        first, *others = without_echoes(problems_in(error, cls))
        return Failure((first, *others))


def _of_table(cls: type, converter: Converter) -> _Hook:
    structure: _Walk = make_dict_structure_fn(cls, converter, _cattrs_use_linecache=False)

    def hook(value: object, _: object) -> object:
        if type(value) is not dict:
            refuse_type("a table", value)
        return structure(value, cls)

    return hook


def _of_mapping(cls: type, converter: Converter) -> _Hook:
    structure: _Walk = mapping_structure_factory(cls, converter)

    def hook(value: object, _: object) -> object:
        if type(value) is not dict:
            refuse_type("a table", value)
        return structure(value, cls)

    return hook


def _of_list(cls: type, converter: Converter) -> _ListHook:
    structure: _WalkList = list_structure_factory(cls, converter)

    def hook(value: object, _: object) -> tuple[object, ...]:
        if type(value) is not list:
            refuse_type("a list", value, toml_value([value]) if is_short(value) else None)
        return tuple(structure(value, cls))

    return hook


def _of_distinct(cls: type, converter: Converter) -> _ListHook:
    annotation, *marks = get_args(cls)
    at_most = next(mark.at_most for mark in marks if isinstance(mark, Distinct))
    items = _of_list(annotation, converter)

    def hook(value: object, _: object) -> tuple[object, ...]:
        found = items(value, cls)
        if len(found) > at_most:
            raise refused(TooMany(len(found), at_most))
        repeated = [at for at, item in enumerate(found) if item in found[:at]]
        if repeated:
            raise ReadingError(*(Problem((at,), Repeated(_shown(found[at]))) for at in repeated))
        return found

    return hook


def _of_annotated(cls: type, converter: Converter) -> _Hook:
    inner: type = get_args(cls)[0]
    structure: _Hook = converter.get_structure_hook(inner)
    return lambda value, _: structure(value, inner)


def _shown(item: object) -> str:
    return str(item) if isinstance(item, Text) else toml_value(table_of(item))


def _is_distinct(cls: object) -> bool:
    return get_origin(cls) is Annotated and any(isinstance(a, Distinct) for a in get_args(cls))


def _has_origin(origin: object) -> Callable[[object], bool]:
    return lambda cls: get_origin(cls) is origin


def _is_kind_of(*kinds: type) -> Callable[[object], bool]:
    return lambda cls: isinstance(cls, type) and issubclass(cls, kinds)


def _converter() -> Converter:
    made = Converter(detailed_validation=True, forbid_extra_keys=True)
    made.register_structure_hook(str, text)
    made.register_structure_hook(bool, boolean)
    made.register_structure_hook(int, whole_number)
    made.register_structure_hook(float, number)
    made.register_structure_hook_factory(is_table, _of_table)
    made.register_structure_hook_factory(_has_origin(Mapping), _of_mapping)
    made.register_structure_hook_factory(_has_origin(tuple), _of_list)
    made.register_structure_hook_factory(_has_origin(Annotated), _of_annotated)
    made.register_structure_hook_factory(_is_distinct, _of_distinct)
    made.register_structure_hook_func(_is_kind_of(Enum), choice)
    made.register_structure_hook_func(
        _is_kind_of(Text, Duration, Size),
        lambda value, cls: parsed(cls.parse(text_for(cls.rule, value))),
    )
    made.register_structure_hook_func(
        _is_kind_of(RealNumber, Usd), lambda value, cls: parsed(cls.parse(number(value)))
    )
    made.register_structure_hook_func(
        _is_kind_of(WholeNumber), lambda value, cls: parsed(cls.parse(whole_number(value)))
    )
    made.register_structure_hook(FreeTable, free_table)
    return made


_CONVERTER: Final = _converter()
