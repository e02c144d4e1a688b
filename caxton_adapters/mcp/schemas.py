"""Arguments and results held against the schemas that a server gives, within bounds.

A schema of others may be wrong or hostile: it fetches nothing, its patterns are tried only where
they cannot run away, and a check that takes too many steps or too long is given up. What cannot be
checked here counts as right: the server checks it once more, or is the one to blame.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from itertools import islice
from time import thread_time
from typing import Any, Final, Protocol, TypeAlias, final

from attrs import fields
from jsonschema import Draft7Validator, Draft202012Validator
from jsonschema.exceptions import SchemaError, UnknownType, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

from caxton_adapters.mcp.brief import TooLarge, brief, weight
from caxton_adapters.mcp.said import LOG
from caxton_adapters.mcp.visible import one_line

_STEPS: Final = 10_000
_STEPS_OF_SCHEMA: Final = 100_000
_MOST_LEVELS: Final = 200
"""Of checks in one another: fewer than Python follows, so that it matters to nobody how many."""
_SECONDS: Final = 0.05
"""Of the thread's own time; the library says nothing of how long a step may be."""
_PATTERN_COST: Final = 20_000_000
"""Steps of the matcher, as if it had to try everything: less than a check may take."""
_MOST_UNIQUE: Final = 200
_MOST_ERRORS: Final = 3
_LONGEST_ERROR: Final = 300
_COMPARING: Final = ("const", "enum")
_LONGEST_PATTERNS: Final = 2000
_MOST_REPEATS: Final = 20
_MOST_WIDE_CLASSES: Final = 8
"""Of characters beyond ASCII: it takes milliseconds to make one ready."""
_UNTAMED: Final = re.compile(r"\)[*+?{]|\\[1-9]|\(\?(?!P<)[A-Za-z-]")
"""Repeated groups, what refers to a group, and flags: they hide the other two, or slow all down."""
_REPEATS: Final = re.compile(r"[*+?{]")
_FIXED: Final = re.compile(r"\{(\d+)\}")
_WIDE: Final = re.compile(r"[^\x00-\x7f]|\\[uUN]")
_UNCHECKED: Final = ("unevaluatedItems", "unevaluatedProperties", "$dynamicRef")
_BROKEN: Final = (
    ArithmeticError,
    AttributeError,
    KeyError,
    RecursionError,
    SchemaError,
    TypeError,
    UnknownType,
    Unresolvable,
    ValueError,
    re.error,
)

_Check: TypeAlias = Callable[[Any, Any, Any, Any], Iterable[ValidationError] | None]


class _Validator(Protocol):
    def iter_errors(self, instance: object) -> Iterator[ValidationError]: ...


@final
class _TooManySteps(Exception):
    """The check takes longer than it is worth."""


_left: Final[ContextVar[int]] = ContextVar("steps", default=0)
_until: Final[ContextVar[float]] = ContextVar("until", default=0.0)
_level: Final[ContextVar[int]] = ContextVar("level", default=0)


def _spend(steps: int) -> None:
    left = _left.get() - steps
    if left < 0 or thread_time() > _until.get():
        raise _TooManySteps
    _left.set(left)


def _counted(keyword: str, check: _Check) -> _Check:
    compares = keyword in _COMPARING

    def counting(
        validator: object, value: object, instance: object, schema: object
    ) -> Iterator[ValidationError]:
        steps = 1 + _length(value) // 10 + _length(instance) // 100
        _spend(steps + (weight(value) + weight(instance)) // 10 if compares else steps)
        level = _level.get()
        if level == _MOST_LEVELS:
            raise _TooManySteps
        _level.set(level + 1)
        try:
            yield from check(validator, value, instance, schema) or ()
        finally:
            _level.set(level)

    return counting


def _length(value: object) -> int:
    return len(value) if isinstance(value, list | dict) else 0


def _is_tame(pattern: object) -> bool:
    """Whether the pattern has nothing in it of which nobody knows how long it takes."""
    if not isinstance(pattern, str) or len(pattern) > _LONGEST_PATTERNS:
        return False
    if _WIDE.search(pattern) and pattern.count("[") > _MOST_WIDE_CLASSES:
        return False
    return _UNTAMED.search(pattern) is None


def _cost(pattern: str, length: int) -> int:
    """At most how many steps a tame pattern takes for a text of this length.

    Everything is tried from every place, for every end of every repetition and every alternative.
    Parts may be counted that are only text; none is left out.
    """
    places, groups, bars = length + 1, pattern.count("(") + 1, pattern.count("|")
    fixed = [int(count) for count in _FIXED.findall(pattern)]
    repeats = min(len(_REPEATS.findall(pattern)) - len(fixed), _MOST_REPEATS)
    alternatives = min((1 + -(-bars // groups)) ** groups, 2**bars)
    each = len(pattern) * min(max(fixed, default=1), places)
    cost: int = each * places ** (repeats + 1) * alternatives
    return cost


def _pattern(_: object, pattern: object, instance: object, __: object) -> Iterator[ValidationError]:
    if not isinstance(pattern, str) or not isinstance(instance, str) or not _is_tame(pattern):
        return
    if _cost(pattern, len(instance)) <= _PATTERN_COST and not re.search(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _tame_names(schema: object, instance: object) -> bool:
    """Whether all patterns for names can be tried with all names, one after the other.

    The library also joins them to one, which is no other pattern where each can stand for itself.
    """
    patterns = schema.get("patternProperties", {}) if isinstance(schema, dict) else {}
    names = instance if isinstance(instance, dict) else {}
    if not isinstance(patterns, dict) or sum(map(len, patterns)) > _LONGEST_PATTERNS:
        return False
    _spend(len(patterns) * len(names) // 10)
    if not all(map(_is_tame, patterns)):
        return False
    lengths = Counter(map(len, names))
    costs = (_cost(each, long) * lengths[long] for each in patterns for long in lengths)
    return sum(costs) <= _PATTERN_COST and all(map(re.compile, patterns))


def _only_if_tame(check: _Check) -> _Check:
    def checking(
        validator: object, value: object, instance: object, schema: object
    ) -> Iterable[ValidationError]:
        tame = _tame_names(schema, instance)
        return (check(validator, value, instance, schema) or ()) if tame else ()

    return checking


def _only_if_few(check: _Check) -> _Check:
    def checking(
        validator: object, value: object, instance: object, schema: object
    ) -> Iterable[ValidationError]:
        few = _length(instance) <= _MOST_UNIQUE
        _spend(_length(instance) * weight(instance) // 100)
        return (check(validator, value, instance, schema) or ()) if few else ()

    return checking


def _counting(cls: Any, checks: Mapping[str, _Check]) -> Any:  # noqa: ANN401 - a class that the library makes at run time
    """The class with these checks, also for those parts of a schema that name another dialect."""
    counting = extend(  # type: ignore[no-untyped-call] # it has no types
        cls, {name: _counted(name, check) for name, check in checks.items()}
    )
    kept = tuple((each.name, each.alias) for each in fields(counting) if each.init)

    def evolve(validator: object, **changes: object) -> object:
        return counting(**{alias: getattr(validator, name) for name, alias in kept} | changes)

    counting.evolve = evolve
    return counting


def _bounded(cls: Any) -> Any:  # noqa: ANN401 - a class that the library makes at run time
    checks: dict[str, _Check] = dict(cls.VALIDATORS)
    checks["pattern"] = _pattern
    for name in ("patternProperties", "additionalProperties"):
        checks[name] = _only_if_tame(checks[name])
    checks["uniqueItems"] = _only_if_few(checks["uniqueItems"])
    checks |= {name: lambda *_: () for name in _UNCHECKED}
    return _counting(cls, checks)


_MODERN: Final = _bounded(Draft202012Validator)
_DRAFT_7: Final = _bounded(Draft7Validator)
_OF_SCHEMAS: Final = _counting(Draft7Validator, Draft7Validator.VALIDATORS)(
    Draft7Validator.META_SCHEMA, registry=Registry()
)
"""Reads schemas of both dialects: the later one's own description takes five times as long."""


@final
class Schema:
    """One schema, read once; one that cannot be read lets everything pass."""

    def __init__(self, schema: Mapping[str, object], whose: str) -> None:
        self._whose = whose
        self._validator = _read(schema, whose)

    def wrong(self, value: object) -> str | None:
        """What is wrong with the value, in words; None for nothing."""
        if self._validator is None:
            return None
        try:
            errors = _errors(self._validator, brief(value), _STEPS, _MOST_ERRORS)
        except (TooLarge, _TooManySteps, *_BROKEN) as error:
            LOG.debug("%s: not checked: %s", self._whose, type(error).__name__)
            return None
        return "; ".join(map(_in_words, errors)) or None


def _errors(
    validator: _Validator, value: object, steps: int, most: int
) -> Sequence[ValidationError]:
    _left.set(steps)
    _until.set(thread_time() + _SECONDS)
    _level.set(0)
    return tuple(islice(validator.iter_errors(value), most))


def _read(schema: Mapping[str, object], whose: str) -> _Validator | None:
    unusable: str | None = "it is too large to be checked"
    with suppress(TooLarge, _TooManySteps):
        own = brief(dict(schema))
        if (unusable := _unusable(own)) is None:
            draft_7 = "draft-07" in str(schema.get("$schema", ""))
            validator: _Validator = (_DRAFT_7 if draft_7 else _MODERN)(own, registry=Registry())
            return validator
    LOG.warning("%s: the schema is unusable: %s", whose, unusable)
    return None


def _unusable(schema: object) -> str | None:
    """Why nothing can be held against the schema."""
    try:
        broken = _errors(_OF_SCHEMAS, schema, _STEPS_OF_SCHEMA, 1)
    except _BROKEN as error:
        return one_line(str(error), 200)
    return _in_words(broken[0]) if broken else None


def _in_words(error: ValidationError) -> str:
    at = ".".join(map(str, error.absolute_path))
    said = one_line(error.message, _LONGEST_ERROR)
    return f"`{one_line(at, 100)}`: {said}" if at else said
