"""Settings from several places, one over the other, without losing where each was written."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias, final

from attrs import frozen

from caxton_core.problems import Path

Table: TypeAlias = Mapping[str, object]
DEFAULT: Final = "default"

VARIABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "CAXTON_DEFAULT_PROVIDER": ("default_provider",),
    "CAXTON_HOST": ("server", "host"),
    "CAXTON_PORT": ("server", "port"),
    "CAXTON_DATA_DIR": ("server", "data_dir"),
    "CAXTON_ALLOWED_HOSTS": ("server", "allowed_hosts"),
    "CAXTON_ALLOWED_ORIGINS": ("server", "allowed_origins"),
    "CAXTON_TLS_CERTIFICATE": ("server", "tls_certificate"),
    "CAXTON_TLS_KEY": ("server", "tls_key"),
    "CAXTON_BEHIND_PROXY": ("server", "behind_proxy"),
    "CAXTON_UNIX_SOCKET": ("server", "unix_socket"),
    "CAXTON_MAX_BODY": ("server", "max_body"),
    "CAXTON_DRAIN_TIMEOUT": ("server", "drain_timeout"),
    "CAXTON_DATABASE": ("storage", "database"),
    "CAXTON_SYNCHRONOUS": ("storage", "synchronous"),
    "CAXTON_KEEP_MESSAGES": ("storage", "keep_messages"),
    "CAXTON_LOG_LEVEL": ("logging", "level"),
    "CAXTON_LOG_FORMAT": ("logging", "format"),
    "CAXTON_LOG_FILE": ("logging", "file"),
    "CAXTON_POLICY_FILE": ("policy", "file"),
    "CAXTON_ENVIRONMENT": ("policy", "environment"),
}
FLAGS: Final[Mapping[str, tuple[str, ...]]] = {
    "host": ("server", "host"),
    "port": ("server", "port"),
    "tls_certificate": ("server", "tls_certificate"),
    "tls_key": ("server", "tls_key"),
    "behind_proxy": ("server", "behind_proxy"),
    "unix_socket": ("server", "unix_socket"),
    "data_dir": ("server", "data_dir"),
    "database": ("storage", "database"),
    "log_level": ("logging", "level"),
    "log_format": ("logging", "format"),
    "log_file": ("logging", "file"),
}
_WHOLE_NUMBERS: Final = {("server", "port")}
_MOST_DIGITS: Final = 20
_BOOLEANS: Final = {("server", "behind_proxy")}
_TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False}
_LISTS: Final = {("server", "allowed_hosts"), ("server", "allowed_origins")}


@final
@frozen
class Layer:
    """One place of settings: its table, and how it names each of its values."""

    table: Table
    names: Mapping[Path, str]


def layer_of_environment(environ: Mapping[str, str]) -> Layer:
    """The settings among the environment variables; an empty variable says nothing."""
    return _layer({name: environ[name] for name in VARIABLES if environ.get(name)}, VARIABLES, "")


def layer_of_flags(flags: Mapping[str, object]) -> Layer:
    """The settings among a command's flags."""
    return _layer({name: str(flags[name]) for name in FLAGS if name in flags}, FLAGS, "--")


def layer_of_file(name: str, table: Table) -> Layer:
    """The settings of a file."""
    return Layer(table, {path: name for path, _ in leaves(table)})


def merged(layers: Iterable[Layer]) -> Layer:
    """All layers as one, the later over the earlier; a list is one value."""
    table: dict[str, object] = {}
    names: dict[Path, str] = {}
    for layer in layers:
        for path, value in leaves(layer.table):
            _put(table, path, value)
            names[path] = layer.names.get(path, DEFAULT)
    return Layer(table, names)


def leaves(table: Table, at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every value that is not a table, with its path; an empty table is a value too."""
    for key, value in table.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, (*at, str(key)))
        else:
            yield (*at, str(key)), value


def _layer(written: Mapping[str, str], known: Mapping[str, tuple[str, ...]], prefix: str) -> Layer:
    table: dict[str, object] = {}
    names: dict[Path, str] = {}
    for name, text in written.items():
        path = known[name]
        _put(table, path, _meant(path, text))
        names[path] = prefix + (name.replace("_", "-") if prefix else name)
    return Layer(table, names)


def _meant(path: tuple[str, ...], text: str) -> object:
    """What a text outside of TOML stands for; where it makes no sense, reading it will say so."""
    number = text.strip()
    if path in _WHOLE_NUMBERS and number.isdecimal() and len(number) <= _MOST_DIGITS:
        return int(number)
    if path in _BOOLEANS:
        return _TRUTHS.get(text.strip().lower(), text)
    if path in _LISTS:
        return [item.strip() for item in text.split(",") if item.strip()]
    return text


def _put(table: dict[str, object], path: tuple[str, ...], value: object) -> None:
    *parents, last = path
    for key in parents:
        inner = table.get(key)
        if not isinstance(inner, dict):
            inner = table[key] = {}
        table = inner
    table[last] = value
