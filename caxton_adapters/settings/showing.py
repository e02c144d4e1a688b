"""The settings that hold, one by one, and where each was written; secrets stay hidden."""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Final, final

from attrs import frozen

from caxton_adapters.key_sources import IN_SETTINGS
from caxton_adapters.mcp.registration import Argument, ServerUrl
from caxton_adapters.secrets import MASK, Secret
from caxton_adapters.setting_values import Substituted
from caxton_adapters.settings.layers import DEFAULT
from caxton_adapters.settings.loading import Loaded
from caxton_adapters.settings.primitives import WrittenHeader, WrittenSecret, WrittenVariable
from caxton_core.primitives import Duration, RealNumber, Size, Text, Usd, WholeNumber
from caxton_core.problems import Path
from caxton_core.reading.credentials import masked
from caxton_core.reading.layout import fields, is_table
from caxton_core.reading.written import toml_value

_IMPLIED: Final = "environment"


@final
@frozen
class ShownSetting:
    """One setting: its path, its value as plain JSON (None: there is none), its source."""

    path: tuple[str, ...]
    value: object
    source: str

    def toml(self) -> str:
        """The line that sets it, or the same line as a comment where it is not set."""
        key = self.path[-1]
        return f"# {key} is not set" if self.value is None else f"{key} = {toml_value(self.value)}"


def shown_settings(loaded: Loaded) -> Iterator[ShownSetting]:
    """Every setting, table by table, the defaults included."""
    found = _known_otherwise(loaded)
    for path, value in _values(loaded.written, ()):
        if path not in found:
            shown = _as_written(loaded.substituted, path, value)
            found[path] = ShownSetting(path, shown, loaded.sources.get(path, DEFAULT))
    yield from sorted(found.values(), key=lambda one: (len(one.path) > 1, one.path[:-1]))


def _known_otherwise(loaded: Loaded) -> dict[Path, ShownSetting]:
    """What is completed after reading: the directory, the default provider, secrets, keys."""
    settings, sources = loaded.settings, loaded.sources
    chosen = settings.default_provider
    token = ("server", "token")
    directory = ("server", "data_dir")
    database = ("storage", "database")
    known = [
        ShownSetting(
            ("default_provider",),
            None if chosen is None else chosen.value,
            sources.get(("default_provider",), DEFAULT),
        ),
        ShownSetting(directory, str(settings.server.data_dir), sources.get(directory, DEFAULT)),
        ShownSetting(database, str(settings.storage.database), sources.get(database, DEFAULT)),
        _hidden(token, settings.server.token, settings.server.token_source, sources),
    ]
    for name, provider in settings.providers.items():
        at = ("providers", name.value)
        implied = at not in {path[:2] for path in sources}
        if implied:
            known += [ShownSetting(path, v, _IMPLIED) for path, v in _values(provider.table, at)]
        known.append(_hidden((*at, "api_key"), provider.api_key, provider.key_source, sources))
    return {one.path: one for one in known}


def _as_written(substituted: Mapping[Path, Substituted], path: Path, value: object) -> object:
    """The value, or the text with the variables that it came from."""
    if isinstance(value, list):
        return [_as_written(substituted, (*path, n), item) for n, item in enumerate(value)]
    found = substituted.get(path)
    return value if found is None or value == MASK else masked(found.written)


def _hidden(
    path: tuple[str, ...],
    secret: Secret | None,
    source: str | None,
    sources: Mapping[Path, str],
) -> ShownSetting:
    written = sources.get(path, DEFAULT) if source in (None, IN_SETTINGS) else source
    return ShownSetting(path, None if secret is None else MASK, written or DEFAULT)


def _values(value: object, at: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    cls: type = type(value)
    for field in fields(cls):
        inner = getattr(value, field.name)
        path = (*at, field.name)
        if isinstance(inner, Mapping):
            for name, member in inner.items():
                yield from _of_member(member, (*path, str(name)))
        elif is_table(type(inner)):
            yield from _values(inner, path)
        else:
            yield path, None if inner is None else _plain(inner)


def _of_member(value: object, at: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    if is_table(type(value)):
        yield from _values(value, at)
    else:
        yield at, _plain(value)


def _plain(value: object) -> object:
    match value:
        case tuple():
            return [_plain(item) for item in value]
        case Usd():
            return value.dollars
        case Duration() | Size():
            return str(value)
        case WrittenSecret() | WrittenVariable() | WrittenHeader():
            return MASK
        case ServerUrl():
            return value.shown
        case Argument():
            return masked(value.value)
        case Text() | WholeNumber() | RealNumber() | Enum():
            return value.value
        case _:
            return value
