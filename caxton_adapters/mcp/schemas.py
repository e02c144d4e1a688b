"""Arguments and results held against the schemas that a server gives, within bounds.

A schema of others may be wrong or hostile: it fetches nothing, its patterns are tried only where
they cannot run away, and a check that takes too many steps is given up. What cannot be checked
here counts as right: the server checks it once more, or is the one to blame.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from itertools import islice
from typing import Any, Final, Protocol, TypeAlias, final

from jsonschema import Draft7Validator, Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

from caxton_adapters.mcp.said import LOG
from caxton_adapters.mcp.visible import one_line

_STEPS: Final = 10_000
_PATTERN_COST: Final = 1_000_000
_MOST_UNIQUE: Final = 200
_LARGEST_SCHEMA: Final = 100_000
_MOST_ERRORS: Final = 3
_LONGEST_ERROR: Final = 300
_UNCHECKED: Final = ("unevaluatedItems", "unevaluatedProperties", "$dynamicRef")
_BROKEN: Final = (
    AttributeError,
    KeyError,
    RecursionError,
    SchemaError,
    TypeError,
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


def _spend(steps: int) -> None:
    left = _left.get() - steps
    if left < 0:
        raise _TooManySteps
    _left.set(left)


def _counted(check: _Check) -> _Check:
    def counting(
        validator: object, value: object, instance: object, schema: object
    ) -> Iterable[ValidationError]:
        _spend(1 + len(value) // 10 if isinstance(value, list | dict) else 1)
        return check(validator, value, instance, schema) or ()

    return counting


def _is_tame(pattern: object, text: str) -> bool:
    """Whether the pattern surely ends soon: no repeated groups, few repetitions for the length."""
    if not isinstance(pattern, str) or re.search(r"\)[*+?{]|\\[1-9]|\(\?P=", pattern):
        return False
    repeats = len(re.findall(r"[*+?{]", pattern))
    cost: int = (len(text) + 1) ** (repeats + 1)
    return cost <= _PATTERN_COST


def _pattern(_: object, pattern: object, instance: object, __: object) -> Iterator[ValidationError]:
    if isinstance(instance, str) and _is_tame(pattern, instance):
        assert isinstance(pattern, str)
        if not re.search(pattern, instance):
            yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _tame_names(schema: object, instance: object) -> bool:
    patterns = schema.get("patternProperties", {}) if isinstance(schema, dict) else {}
    names = instance if isinstance(instance, dict) else {}
    return isinstance(patterns, dict) and all(
        _is_tame(pattern, str(name)) for pattern in patterns for name in names
    )


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
        few = not isinstance(instance, list) or len(instance) <= _MOST_UNIQUE
        return (check(validator, value, instance, schema) or ()) if few else ()

    return checking


def _bounded(cls: Any) -> Any:  # noqa: ANN401 - a class that the library makes at run time
    checks: dict[str, _Check] = dict(cls.VALIDATORS)
    checks["pattern"] = _pattern
    for name in ("patternProperties", "additionalProperties"):
        checks[name] = _only_if_tame(checks[name])
    checks["uniqueItems"] = _only_if_few(checks["uniqueItems"])
    checks |= {name: lambda *_: () for name in _UNCHECKED}
    return extend(  # type: ignore[no-untyped-call] # it has no types
        cls, {name: _counted(check) for name, check in checks.items()}
    )


_MODERN: Final = _bounded(Draft202012Validator)
_DRAFT_7: Final = _bounded(Draft7Validator)


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
        _left.set(_STEPS)
        try:
            errors = list(islice(self._validator.iter_errors(value), _MOST_ERRORS))
        except (_TooManySteps, *_BROKEN) as error:
            LOG.debug("%s: not checked: %s", self._whose, type(error).__name__)
            return None
        return "; ".join(map(_in_words, errors)) or None


def _read(schema: Mapping[str, object], whose: str) -> _Validator | None:
    draft_7 = "draft-07" in str(schema.get("$schema", ""))
    cls = _DRAFT_7 if draft_7 else _MODERN
    try:
        if len(repr(schema)) > _LARGEST_SCHEMA:
            LOG.warning("%s: the schema is too large to be checked", whose)
            return None
        cls.check_schema(schema)
        validator: _Validator = cls(schema, registry=Registry())
    except _BROKEN as error:
        LOG.warning("%s: the schema is unusable: %s", whose, one_line(str(error), 200))
        return None
    return validator


def _in_words(error: ValidationError) -> str:
    at = ".".join(map(str, error.absolute_path))
    said = one_line(error.message, _LONGEST_ERROR)
    return f"`{one_line(at, 100)}`: {said}" if at else said
