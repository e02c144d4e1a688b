"""The policy's file: read whole, laid over its preset, and an environment laid over both."""

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias, final

from attrs import frozen
from returns.result import Failure, Result, Success

from caxton_core.agent.policy.levels import Preset
from caxton_core.agent.policy.presets import PRESETS
from caxton_core.agent.policy.tables import Policy, PolicyFile
from caxton_core.codes.catalogue import EXPLANATIONS
from caxton_core.problems import Path, Problem, Problems, Stated
from caxton_core.reading.layout import fields, is_table
from caxton_core.reading.nearest import nearest
from caxton_core.reading.report import Report, report
from caxton_core.reading.tables import read
from caxton_core.reading.toml_text import parse_toml
from caxton_core.reading.written import plain

BUILT_IN: Final = "built in"
"""What stands in the place of a file where there is none."""
NO_ENVIRONMENT: Final = "CX2222"
NOTHING_ALLOWED: Final = "CX2223"

Table: TypeAlias = Mapping[str, object]


@final
@frozen
class InForce:
    """A policy and where each of its values was written, by path.

    `digest` is the SHA-256 of the file, told by whoever read it.
    """

    policy: Policy
    file: str = BUILT_IN
    environment: str | None = None
    sources: Mapping[Path, str] = {}
    digest: str = ""


def read_policy(
    text: str, file: str = "policy.toml", environment: str | None = None
) -> Result[InForce, Report]:
    """Read a policy file as it holds in the environment, or tell everything wrong with it."""
    plain_text = text.removeprefix("\ufeff")
    parsed = parse_toml(plain_text)
    if isinstance(parsed, Failure):
        return Failure(report([parsed.failure()], plain_text, file))
    policy = read_policy_table(parsed.unwrap(), file, environment)
    if isinstance(policy, Failure):
        return Failure(report(policy.failure(), plain_text, file))
    return policy


def built_in(environment: str | None = None) -> Result[InForce, Report]:
    """The policy of an installation that wrote none: the preset `default`, no environments."""
    if environment is not None:
        return Failure(report([_unknown_environment(environment, ())], "", BUILT_IN))
    return Success(InForce(Policy()))


def read_policy_table(
    table: Table, file: str = "policy.toml", environment: str | None = None
) -> Result[InForce, Problems]:
    """Read a policy from a plain table, as a TOML parser makes it."""
    whole = read(PolicyFile, table)
    problems = (*(whole.failure() if isinstance(whole, Failure) else ()), *_nothing_allowed(table))
    if isinstance(whole, Failure) or problems:
        return Failure((problems[0], *problems[1:]))
    chosen = whole.unwrap().environments
    if environment is not None and environment not in chosen:
        return Failure((_unknown_environment(environment, tuple(chosen)),))
    return _laid_over(table, file, environment)


def _laid_over(table: Table, file: str, environment: str | None) -> Result[InForce, Problems]:
    common = {key: value for key, value in table.items() if key != "environments"}
    special = _table(_table(table.get("environments")).get(environment or ""))
    preset = Preset(special.get("preset", common.get("preset", Preset.DEFAULT.value)))
    named = f"preset {preset.value}"
    layers = (
        (PRESETS[preset], named),
        (common, file),
        (special, f"{file}, environment {environment}"),
    )
    merged: dict[str, object] = {}
    sources: dict[Path, str] = dict.fromkeys((path for path, _ in values_of(Policy())), named)
    for layer, source in layers:
        for path, value in _leaves(layer):
            _put(merged, path, value)
            sources[path] = source
    policy = read(Policy, merged)
    return policy.map(lambda value: InForce(value, file, environment, sources))


def values_of(value: object, at: tuple[str, ...] = ()) -> Iterator[tuple[Path, object]]:
    """Every value of a policy as it would be written (None: there is none), with its path."""
    cls: type = type(value)
    for field in fields(cls):
        inner = getattr(value, field.name)
        if is_table(type(inner)):
            yield from values_of(inner, (*at, field.name))
        elif not isinstance(inner, Mapping):
            yield (*at, field.name), plain(inner)


def _leaves(table: Table, at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*at, key))
        else:
            yield (*at, key), value


def _put(table: dict[str, object], path: tuple[str, ...], value: object) -> None:
    *above, last = path
    for key in above:
        inner = table.setdefault(key, {})
        assert isinstance(inner, dict)
        table = inner
    table[last] = value


def _table(value: object) -> Table:
    return value if isinstance(value, Mapping) else {}


def _nothing_allowed(table: Table) -> Iterator[Problem]:
    yield from nothing_allowed(table)
    for name, special in _table(table.get("environments")).items():
        yield from nothing_allowed(_table(special), ("environments", name))


def nothing_allowed(table: Table, at: Path = ()) -> Iterator[Problem]:
    """An empty list of what is allowed, which would be read as none, in the table of a level."""
    if _table(table.get("permissions")).get("allow") == []:
        yield Problem((*at, "permissions", "allow"), _stated(NOTHING_ALLOWED))


def _unknown_environment(name: str, known: tuple[str, ...]) -> Problem:
    shown = ", ".join(known) or "none"
    return Problem(
        ("environments",),
        _stated(NO_ENVIRONMENT, nearest(name, known), name=name, known=shown),
    )


def _stated(code: str, suggestion: str | None = None, **facts: str) -> Stated:
    explained = EXPLANATIONS[code]
    message, advice = explained.message.format_map(facts), explained.advice.format_map(facts)
    return Stated(code, message, advice, suggestion)
