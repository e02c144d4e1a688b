"""`${NAME}` in a text of the settings is the environment variable; `$${NAME}` stays as it is."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import reduce
from typing import Final, TypeAlias

from attrs import asdict

from caxton_adapters.secrets import MASK, SHORTEST
from caxton_adapters.setting_values import Substituted
from caxton_adapters.settings.stating import stated
from caxton_core.problems import Path, Problem, What

UNSET = "CX2201"
_REFERENCE = re.compile(r"\$(\$\{[^}]*\})|\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

_OF_EVERYBODY: Final = frozenset(
    {"HOME", "HOSTNAME", "LANG", "LOGNAME", "PATH", "PWD", "SHELL", "TMPDIR", "USER"}
)
"""Variables that every program has, and none keeps a secret in."""
_LONGEST_QUOTED: Final = 80
"""What is quoted of a value that is wrong may be its beginning."""

Table: TypeAlias = Mapping[str, object]


def substituted(table: Table, environ: Mapping[str, str]) -> dict[str, object]:
    """The table with the variables in its texts; one that is not set becomes nothing."""
    return {key: _substituted(value, environ) for key, value in table.items()}


def substitutions(
    table: object, environ: Mapping[str, str], at: Path = ()
) -> Iterator[tuple[Path, Substituted]]:
    """Every text with variables in it, with its path."""
    if isinstance(table, str):
        names = [name for _, name in _REFERENCE.findall(table) if name]
        if names:
            written = _REFERENCE.sub(lambda found: found[1] or found[0], table)
            values = (environ.get(name, "") for name in names if name not in _OF_EVERYBODY)
            yield at, Substituted(written, tuple(values))
    elif isinstance(table, Mapping):
        for key, value in table.items():
            yield from substitutions(value, environ, (*at, str(key)))
    elif isinstance(table, list):
        for index, item in enumerate(table):
            yield from substitutions(item, environ, (*at, index))


def without_values(problem: Problem, found: Iterable[Substituted]) -> Problem:
    """The problem with nothing in its facts that a variable had."""
    values = {value for each in found for value in each.values if len(value) >= SHORTEST}
    hidden = sorted(
        {*values, *(value[:_LONGEST_QUOTED] for value in values)}, key=len, reverse=True
    )
    if not hidden:
        return problem
    again: Callable[..., What] = type(problem.what)
    facts = asdict(problem.what, recurse=False).items()
    return Problem(problem.at, again(**{name: _without(hidden, fact) for name, fact in facts}))


def _without(hidden: Iterable[str], fact: object) -> object:
    if not isinstance(fact, str):
        return fact
    return reduce(lambda text, value: text.replace(value, MASK), hidden, fact)


def unset_variables(table: object, environ: Mapping[str, str], at: Path = ()) -> Iterator[Problem]:
    """Every reference to a variable that is not set."""
    if isinstance(table, str):
        for _, name in _REFERENCE.findall(table):
            if name and name not in environ:
                yield Problem(at, stated(UNSET, name=name))
    elif isinstance(table, Mapping):
        for key, value in table.items():
            yield from unset_variables(value, environ, (*at, str(key)))
    elif isinstance(table, list):
        for index, item in enumerate(table):
            yield from unset_variables(item, environ, (*at, index))


def _substituted(value: object, environ: Mapping[str, str]) -> object:
    if isinstance(value, str):
        return _REFERENCE.sub(lambda found: _of(found, environ), value)
    if isinstance(value, dict):
        return substituted(value, environ)
    return [_substituted(item, environ) for item in value] if isinstance(value, list) else value


def _of(found: re.Match[str], environ: Mapping[str, str]) -> str:
    literal, name = found.group(1), found.group(2)
    return str(literal) if literal is not None else environ.get(str(name), "")
