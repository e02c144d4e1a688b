"""`${NAME}` in a text of the settings is the environment variable; `$${NAME}` stays as it is."""

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from caxton_adapters.settings.stating import stated
from caxton_core.problems import Path, Problem

UNSET = "CX2201"
_REFERENCE = re.compile(r"\$(\$\{[^}]*\})|\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

Table: TypeAlias = Mapping[str, object]


def substituted(table: Table, environ: Mapping[str, str]) -> dict[str, object]:
    """The table with the variables in its texts; one that is not set becomes nothing."""
    return {key: _substituted(value, environ) for key, value in table.items()}


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
