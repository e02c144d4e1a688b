"""`caxton config ...`."""

from typing import TYPE_CHECKING

import click

from caxton_cli import exits
from caxton_cli.commands.server import configures_server
from caxton_cli.configured import loaded_or_leave
from caxton_cli.printing import emit

if TYPE_CHECKING:
    from caxton_adapters.settings.showing import ShownSetting

COMMENTS_AT = 44


@click.group()
def config() -> None:
    """Show the server's settings."""


@config.command("show")
@click.option("--sources", is_flag=True, help="Say where each setting was written.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@configures_server
def show(*, sources: bool, as_json: bool, config: str | None, **flags: object) -> int:
    """Print the settings that hold: flags, environment and files together.

    The output is a settings file itself; secrets are hidden.
    """
    from caxton_adapters.settings.showing import shown_settings

    settings = list(shown_settings(loaded_or_leave(config, flags)))
    if as_json:
        emit([{"key": ".".join(s.path), "value": s.value, "source": s.source} for s in settings])
        return exits.DONE
    header: tuple[str, ...] = ()
    for setting in settings:
        if setting.path[:-1] != header:
            header = setting.path[:-1]
            print(f"\n[{'.'.join(header)}]")
        print(_line(setting, sources=sources))
    return exits.DONE


def _line(setting: "ShownSetting", *, sources: bool) -> str:
    text = setting.toml()
    return f"{text:<{COMMENTS_AT}} # {setting.source}" if sources else text
