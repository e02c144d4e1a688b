"""The reference of the settings, derived from the classes and from the names of each setting."""

from collections.abc import Mapping
from typing import Final

from caxton_adapters.settings.layers import FLAGS, VARIABLES
from caxton_adapters.settings.written import SettingsFile
from caxton_core.problems import Path
from caxton_core.reading.describing import Entry, entries

_HEAD: Final = """\
<!-- Generated from the code by `python -m tests.generate_reference`; do not edit. -->

# Settings of the server

Settings come from these places, the strongest first: flags of the command, environment variables,
`./caxton.toml` or the file that `--config` or `CAXTON_CONFIG` names, `config.toml` in the user's
configuration folder (`$XDG_CONFIG_HOME/caxton`), `/etc/caxton/config.toml`, defaults.
`caxton config show --sources` tells what holds and where it was written.

Every key may be absent. Unknown keys are errors. `${NAME}` in a text of a settings file is the
environment variable NAME. `CAXTON_HOME` is one folder for everything: settings and data.
"""
_COLUMNS: Final = "| key | type | default | rule | meaning |\n|---|---|---|---|---|"
_OTHER_NAMES: Final = """\
## Variables and flags

| setting | variable | flag |
|---|---|---|
"""


def settings_reference() -> str:
    """`docs/reference/settings.md`."""
    by_table: dict[Path, list[Entry]] = {}
    for entry in entries(SettingsFile):
        if entry.type != "table":
            by_table.setdefault(entry.at[:-1], []).append(entry)
    tables = [_table(path, keys) for path, keys in by_table.items()]
    return "\n".join([_HEAD, *tables, _OTHER_NAMES + "\n".join(_names())]) + "\n"


def _table(path: Path, keys: list[Entry]) -> str:
    name = ".".join(map(str, path))
    header = [f"[{name}]"] if path else []
    rows = [
        f"| `{key.at[-1]}` | {key.type} | {_cell(key.default)} | {_cell(key.rule)} "
        f"| {_cell(key.says)} |"
        for key in keys
    ]
    example = [f"{key.at[-1]} = {key.example}" for key in keys if key.example]
    title = f"## {header[0] if header else 'Top level'}\n"
    return "\n".join(
        [title, _COLUMNS, *rows, "", '```toml title="caxton.toml"', *header, *example, "```", ""]
    )


def _names() -> list[str]:
    flags: Mapping[tuple[str, ...], str] = {path: name for name, path in FLAGS.items()}
    return [
        f"| `{'.'.join(path)}` | `{variable}` | {_flag(flags.get(path))} |"
        for variable, path in VARIABLES.items()
    ]


def _flag(name: str | None) -> str:
    return "" if name is None else f"`--{name.replace('_', '-')}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
